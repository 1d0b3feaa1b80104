import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { databaseUrl } from "./database-url.ts";
import { Fault } from "./setting.ts";

const verified = { verify: true, ca: null, cert: null, key: null };

const faultOf = (value: string): string => {
  try {
    databaseUrl(value);
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return error.message;
  }
  throw new Error(`${value} was taken`);
};

describe("DATABASE_URL", () => {
  it("is taken apart, signs in the password included", () => {
    assert.deepEqual(databaseUrl("postgres://me:p%40%2F%23%25s@db.example.com:6432/relay"), {
      host: "db.example.com",
      port: 6432,
      database: "relay",
      user: "me",
      password: "p@/#%s",
      tls: verified,
      options: null,
    });
    const bare = databaseUrl("postgresql://localhost/relay");
    assert.deepEqual(
      [bare.user, bare.password, bare.port, bare.tls],
      [userInfo().username, null, 5432, null],
    );
  });

  it("may name an IPv6 address or a socket's folder, which need no TLS on this machine", () => {
    assert.equal(databaseUrl("postgres://me@[::1]:5433/relay").host, "::1");
    for (const text of ["postgres:///relay?host=/run/pg", "postgres://me@/relay?host=/run/pg"]) {
      const { host, database, tls } = databaseUrl(text);
      assert.deepEqual([host, database, tls], ["/run/pg", "relay", null]);
    }
  });

  it("asks every other machine for TLS and its name, unless told not to", () => {
    const tlsOf = (query: string) => databaseUrl(`postgres://me@db.example.com/relay${query}`).tls;
    assert.deepEqual(tlsOf(""), verified);
    assert.deepEqual(tlsOf("?sslmode=require"), verified);
    assert.deepEqual(tlsOf("?sslmode=no-verify"), { ...verified, verify: false });
    assert.equal(tlsOf("?sslmode=disable"), null);
    assert.deepEqual(databaseUrl("postgres://me@[::1]/relay?sslmode=verify-full").tls, verified);
    assert.match(faultOf("postgres://me@db.example.com/relay?sslmode=prefer"), /verify-full/);
  });

  it("may name the CA's and its own certificate", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "claude-relay-pem-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "ca.pem");
    writeFileSync(file, "PEM");
    const named = `postgres://me@db.example.com/relay?sslrootcert=${file}`;
    assert.equal(databaseUrl(named).tls?.ca, "PEM");
    assert.match(faultOf(`${named}.not`), /sslrootcert that cannot be read \(ENOENT\)/);
  });

  it("with something unknown behind the ? is refused, with what is known", () => {
    assert.match(faultOf("postgres://me@localhost/relay?schema=x"), /other than host, options,/);
  });

  it("that names no server or no database is refused", () => {
    for (const text of ["postgres:///relay", "postgres://localhost", "postgres://localhost/"]) {
      assert.match(faultOf(text), /name the server and the database/);
    }
  });

  it("never shows its password, whatever is wrong with it", () => {
    const before = ["postgres://me:", "mysql://me:", "postgres:/me:", "//me:", "postgres://me:%zz"];
    const after = ["@host/db", "@host:port/db", "@ho st/db", "/db", "@host/db?x=1", "@[::1/db"];
    const secret = fc.stringMatching(/^[a-z@/#%?:&=]{6,20}$/).map((text) => `Zq9${text}Zq9`);
    fc.assert(
      fc.property(fc.constantFrom(...before), secret, fc.constantFrom(...after), (a, pass, z) => {
        try {
          databaseUrl(a + pass + z);
        } catch (error) {
          assert.ok(error instanceof Fault, String(error));
          assert.doesNotMatch(error.message, /zq9/i);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
