import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DatabaseError } from "pg";
import { isSlowness, isStorageFailure, isValueFault, PostgresLost, remedy } from "./errors.ts";

const server = (code: string): DatabaseError =>
  Object.assign(new DatabaseError("as the server says", 0, "error"), { code });

const system = (code: string): PostgresLost =>
  new PostgresLost("no connection", Object.assign(new Error(code), { code }));

describe("an error of Postgres", () => {
  it("that speaks of the server, the session or the schema is waited out", () => {
    const codes = ["08006", "25006", "28P01", "3D000", "53100", "53300", "57P01", "57P02", "57P03"];
    for (const code of [...codes, "58030", "XX001", "42501", "42P01", "55000"]) {
      assert.ok(isStorageFailure(server(code)), code);
    }
    for (const code of ["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "ENOENT", "ETIMEDOUT"]) {
      assert.ok(isStorageFailure(system(code)), code);
    }
  });

  it("that speaks of the statement is not", () => {
    for (const code of ["23505", "22003", "22P02", "42601", "42703", "P0001"]) {
      assert.ok(!isStorageFailure(server(code)), code);
    }
    assert.ok(!isStorageFailure(new Error("ours")));
    assert.deepEqual(["23502", "22P05", "42703"].map(server).map(isValueFault), [
      true,
      true,
      false,
    ]);
  });

  it("that only says it took too long does not make the database one that is away", () => {
    for (const code of ["57014", "55P03", "40001", "40P01"]) {
      assert.ok(isSlowness(server(code)) && !isStorageFailure(server(code)), code);
    }
    assert.ok(!isSlowness(system("ETIMEDOUT")));
  });

  it("names the remedy", () => {
    const told = ["28P01", "3D000", "53300", "25006"].map((code) => remedy(server(code)));
    assert.match(told.join("; "), /password.*create.*max_connections.*primary/);
    assert.match(remedy(system("DEPTH_ZERO_SELF_SIGNED_CERT")), /sslrootcert/);
    assert.match(remedy(system("ECONNREFUSED")), /check the server DATABASE_URL names/);
  });
});
