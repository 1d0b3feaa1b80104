import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readCredential } from "./credential.ts";
import { Refusal } from "./refusal.ts";

const refusedAs = (code: string, says: RegExp) => (error: unknown) =>
  error instanceof Refusal && error.code === code && says.test(error.message);

describe("the credential of a request", () => {
  it("is the same from either header, from both, with the prefix or without", () => {
    for (const headers of [
      { authorization: "Bearer abc" },
      { authorization: "bearer abc" },
      { authorization: "BEARER   abc " },
      { authorization: "Bearer sk-ant-proxy-abc" },
      { "x-api-key": "abc" },
      { "x-api-key": " sk-ant-proxy-abc" },
      { authorization: "Bearer abc", "x-api-key": "abc" },
      { authorization: "Bearer sk-ant-proxy-abc", "x-api-key": "abc" },
    ]) {
      assert.equal(readCredential(headers), "abc", JSON.stringify(headers));
    }
  });

  it("is never chosen between two", () => {
    for (const [bearer, key] of [
      ["a", "b"],
      ["a", ""],
      ["", "b"],
      ["a", "A"],
    ]) {
      assert.throws(
        () => readCredential({ authorization: `Bearer ${bearer}`, "x-api-key": key ?? "" }),
        refusedAs("credential_invalid", /two different/),
      );
    }
  });

  it("that is missing or no bearer token is hopeless; an empty one is worth a retry", () => {
    assert.throws(() => readCredential({}), refusedAs("credential_invalid", /required/));
    for (const authorization of ["", "Basic abc", "abc", "Bearerabc", "Token abc"]) {
      assert.throws(
        () => readCredential({ authorization }),
        refusedAs("credential_invalid", /'Bearer <token>'/),
      );
    }
    for (const headers of [
      { authorization: "Bearer" },
      { authorization: "Bearer  " },
      { "x-api-key": "" },
      { "x-api-key": "sk-ant-proxy-" },
      { authorization: "Bearer ", "x-api-key": "" },
    ]) {
      assert.throws(() => readCredential(headers), refusedAs("credential_expired", /empty/));
    }
  });
});
