import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonAnswer, messageJson, STREAM_PARTS } from "./answers.ts";
import { ResponseReader } from "./response-reader.ts";

const stream = Buffer.concat([STREAM_PARTS.opening, STREAM_PARTS.delta, STREAM_PARTS.closing]);

/** Feeds the answer cut at these places; gives the piece at which the reader saw its end. */
function pieceThatEnds(reader: ResponseReader, answer: Buffer, cuts: number[]): number {
  const places = [0, ...[...new Set(cuts)].sort((a, b) => a - b), answer.length];
  const pieces = places.slice(1).map((end, index) => answer.subarray(places[index], end));
  return pieces.findIndex((piece) => reader.feed(piece)) - (pieces.length - 1);
}

for (const [name, answer] of [
  ["an answer with a length", jsonAnswer(messageJson())],
  ["a chunked answer", stream],
] as const) {
  test(`${name} ends with its last byte, wherever packets cut it`, () => {
    const cuts = fc.array(fc.integer({ min: 1, max: answer.length - 1 }), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, (places) => {
        const reader = new ResponseReader();
        assert.equal(pieceThatEnds(reader, answer, places), 0);
        assert.equal(reader.status, 200);
      }),
    );
  });
}

test("a connection is read again after a reset", () => {
  const reader = new ResponseReader();
  assert.equal(reader.feed(stream), true);
  reader.reset();
  assert.equal(reader.feed(jsonAnswer("{}")), true);
});

test("an answer that is not 200 keeps what it said", () => {
  const reader = new ResponseReader();
  const answer = "HTTP/1.1 529 Overloaded\r\ncontent-length: 4\r\n\r\nbusy";
  assert.equal(reader.feed(Buffer.from(answer)), true);
  assert.deepEqual([reader.status, reader.complaint], [529, "busy"]);
});

test("an answer whose end cannot be known is an error", () => {
  const reader = new ResponseReader();
  assert.throws(() => reader.feed(Buffer.from("HTTP/1.1 200 OK\r\n\r\n")), /neither/);
});
