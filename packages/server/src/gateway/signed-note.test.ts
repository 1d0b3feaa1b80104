import assert from "node:assert/strict";
import { test } from "node:test";
import { epochMs } from "@claude-relay/contract";
import fc from "fast-check";
import { createSignedNotes } from "./signed-note.ts";
import { createUsedOnce } from "./used-once.ts";

const key = Buffer.alloc(32, 7);
const time = { ms: 1000 };
const clock = { now: () => epochMs(time.ms), monotonicMs: () => time.ms };
type Note = Readonly<{ text: string }>;
const notes = createSignedNotes<Note>(key, "travel", clock);

test("a note comes back as it was written, until it is over", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.deepEqual(notes.read(notes.write({ text }, 10)), { text });
    }),
  );
  const written = notes.write({ text: "a" }, 10);
  time.ms += 9;
  assert.deepEqual(notes.read(written), { text: "a" });
  time.ms += 1;
  assert.equal(notes.read(written), null);
});

test("a note that was changed anywhere, or is for something else, is none", () => {
  const written = notes.write({ text: "a" }, 1000);
  fc.assert(
    fc.property(fc.nat(written.length - 1), fc.constantFrom(..."Aa0-_.="), (place, letter) => {
      const changed = written.slice(0, place) + letter + written.slice(place + 1);
      // The last letter of base64 holds bits that say nothing.
      fc.pre(changed !== written && place < written.length - 1);
      assert.equal(notes.read(changed), null);
    }),
  );
  for (const wrong of ["", ".", "..", `${written}.`, `${written}.x`, written.split(".")[0] ?? ""]) {
    assert.equal(notes.read(wrong), null);
  }
  assert.equal(createSignedNotes<Note>(key, "ticket", clock).read(written), null);
  assert.equal(createSignedNotes<Note>(Buffer.alloc(32), "travel", clock).read(written), null);
});

test("a text is used once in its lifetime, and the memory of it is bounded", () => {
  const used = createUsedOnce(clock, 10, 3);
  assert.equal(used.take("a"), true);
  assert.equal(used.take("a"), false);
  time.ms += 10;
  assert.equal(used.take("a"), true);
  assert.deepEqual(
    ["b", "c", "d"].map((text) => used.take(text)),
    [true, true, true],
  );
  assert.equal(used.take("d"), false);
});
