import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import type { RouterId } from "@claude-relay/contract";
import fc from "fast-check";
import { Confirmations } from "./confirmations.ts";

const router = "office" as RouterId;
const commands = {
  router,
  user: "ann",
  text: "/ip address print",
  classification: "read",
  requestId: "req_1",
} as const;

const setUp = (random = randomBytes as (count: number) => Buffer) => {
  let nowMs = 0;
  const codes = new Confirmations({ monotonicMs: () => nowMs, random });
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { codes, pass };
};

describe("a confirmation code", () => {
  it("is redeemed once, as people type it, for exactly what it was issued for", () => {
    const { codes } = setUp(() => Buffer.from([0, 1, 1, 0, 31, 30, 29, 28]));
    assert.equal(codes.issue(commands), "0110-ZYXW");
    assert.deepEqual(codes.redeem(router, "ann", " oil0zyxw"), commands);
    assert.equal(codes.redeem(router, "ann", "0110-ZYXW"), null);
  });

  it("is dead after five minutes, and not before", () => {
    const { codes, pass } = setUp();
    const [first, second] = [codes.issue(commands), codes.issue(commands)];
    pass(299_999);
    assert.notEqual(codes.redeem(router, "ann", first), null);
    pass(1);
    assert.equal(codes.redeem(router, "ann", second), null);
  });

  it("is one of sixteen of its router: the oldest makes room, another router's stay", () => {
    const { codes } = setUp();
    const other = codes.issue({ ...commands, router: "branch" as RouterId });
    const issued = Array.from({ length: 17 }, () => codes.issue(commands));
    assert.equal(codes.redeem(router, "ann", issued[0]!), null);
    for (const code of issued.slice(1)) {
      assert.notEqual(codes.redeem(router, "ann", code), null);
    }
    assert.notEqual(codes.redeem("branch" as RouterId, "ann", other), null);
  });

  it("survives four wrong tries and not five; a right one starts the count anew", () => {
    const { codes } = setUp();
    const [first, second, third] = [1, 2, 3].map(() => codes.issue(commands));
    const wrong = (times: number): void => {
      for (let tries = 0; tries < times; tries += 1) {
        assert.equal(codes.redeem(router, "ann", "0000-0000"), null);
      }
    };
    wrong(4);
    assert.notEqual(codes.redeem(router, "ann", first!), null);
    wrong(4);
    assert.notEqual(codes.redeem(router, "ann", second!), null);
    wrong(5);
    assert.equal(codes.redeem(router, "ann", third!), null);
  });

  it("is opened by no other router, user or code, whatever they are", () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.string()), fc.string(), (id, user, guess) => {
        const { codes } = setUp();
        const code = codes.issue(commands);
        fc.pre(id !== router || user !== "ann" || guess !== code);
        return (
          codes.redeem(id as RouterId, user, guess === "" ? code : guess) === null ||
          (id === router && user === "ann")
        );
      }),
    );
  });
});
