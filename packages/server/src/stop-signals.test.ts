import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type StopSignal, startSignalReader, stopOrderOf } from "./stop-signals.ts";

/** What each signal means when they come at these milliseconds. */
const meanings = (...arrivals: readonly (readonly [StopSignal, number])[]): string[] => {
  let nowMs = 0;
  const read = startSignalReader(() => nowMs);
  return arrivals.map(([signal, atMs]) => {
    nowMs = atMs;
    return read(signal);
  });
};

describe("a signal to stop", () => {
  it("drains when it is the first, whichever it is and whenever it comes", () => {
    for (const signal of ["SIGTERM", "SIGINT", "npm was stopped"] as const) {
      assert.deepEqual(meanings([signal, 0]), ["drain"]);
      assert.deepEqual(meanings([signal, 1e9]), ["drain"]);
    }
  });

  it("that is the echo of a Ctrl-C is the same keypress; the next keypress forces, once", () => {
    assert.deepEqual(
      meanings(["SIGINT", 1000], ["SIGINT", 1004], ["SIGINT", 1299], ["SIGINT", 1300]),
      ["drain", "ignore", "ignore", "force"],
    );
    assert.deepEqual(
      meanings(["SIGINT", 1000], ["SIGINT", 1004], ["SIGINT", 2000], ["SIGINT", 2004]),
      ["drain", "ignore", "force", "ignore"],
    );
  });

  it("forces when it is a second SIGTERM, however soon, or follows a Ctrl-C", () => {
    assert.deepEqual(meanings(["SIGTERM", 1000], ["SIGTERM", 1001]), ["drain", "force"]);
    assert.deepEqual(meanings(["SIGINT", 1000], ["SIGTERM", 1001]), ["drain", "force"]);
    assert.deepEqual(meanings(["SIGTERM", 1000], ["SIGINT", 1001]), ["drain", "force"]);
  });

  it("is no second wish when it is npm going away after the first", () => {
    assert.deepEqual(meanings(["SIGTERM", 1000], ["npm was stopped", 9000]), ["drain", "ignore"]);
    assert.deepEqual(meanings(["npm was stopped", 1000], ["SIGINT", 9000]), ["drain", "force"]);
  });
});

describe("what a worker hears from its primary", () => {
  it("is an order when it is one, and of no account otherwise", () => {
    assert.deepEqual([{ stop: "drain" }, { stop: "force" }].map(stopOrderOf), ["drain", "force"]);
    for (const message of [null, "drain", {}, { stop: "ignore" }, { stop: true }, { act: "x" }]) {
      assert.equal(stopOrderOf(message), null);
    }
  });
});
