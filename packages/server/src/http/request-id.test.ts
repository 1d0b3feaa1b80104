import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newRequestId } from "./request-id.ts";

describe("a request id", () => {
  it("is req_ and a ULID", () => {
    assert.match(newRequestId(1_790_000_000_000), /^req_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    // The example of https://github.com/ulid/spec: the first ten characters are the time.
    assert.equal(newRequestId(1_469_918_176_385).slice(4, 14), "01ARYZ6S41");
  });

  it("sorts by time and never comes twice", () => {
    const ids = Array.from({ length: 20_000 }, (_, n) => newRequestId(1_790_000_000_000 + n));
    assert.deepEqual(ids, [...ids].sort());
    const same = Array.from({ length: 20_000 }, () => newRequestId(1_790_000_000_000));
    assert.equal(new Set(same).size, same.length);
  });
});
