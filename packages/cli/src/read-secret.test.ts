import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { readSecret } from "./read-secret.ts";

/** What a person types, in the parts in which it comes. */
const typed = (...parts: readonly (string | Buffer)[]): Promise<string> => {
  const input = Object.assign(new PassThrough(), { isTTY: true as const });
  return readSecret(input, () => {
    for (const part of parts) {
      setImmediate(() => input.write(part));
    }
  });
};

describe("a password that is typed", () => {
  it("is what was typed, wherever its bytes were parted", async () => {
    const bytes = Buffer.from("pässwörd🔑\r");
    for (let at = 1; at < bytes.length; at += 1) {
      assert.equal(await typed(bytes.subarray(0, at), bytes.subarray(at)), "pässwörd🔑");
    }
  });

  it("can be corrected letter by letter, and given up", async () => {
    assert.equal(await typed("ab🔑\u007fc\n"), "abc");
    await assert.rejects(typed("abc", "\u0003"), /Given up: nothing was changed/);
    await assert.rejects(typed("\r"), /Nothing was given/);
  });
});
