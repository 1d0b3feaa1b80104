import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createEventReader } from "./server-sent-events.ts";

const readAll = (pieces: readonly string[]) => {
  const read = createEventReader();
  return pieces.flatMap((piece) => read(piece));
};

const line = fc.constantFrom(
  "event: text",
  "event:done",
  "data: {}",
  "data:a:b",
  "data",
  ": hm",
  "id: 1",
  "",
  "",
);
const lineBreak = fc.constantFrom("\n", "\r\n", "\r");
const source = fc
  .array(fc.tuple(line, lineBreak), { maxLength: 30 })
  .map((lines) => lines.map((parts) => parts.join("")).join(""));

describe("the event reader", () => {
  it("gives the same events however the text is cut", () => {
    fc.assert(
      fc.property(source, fc.array(fc.nat(200)), (text, cuts) => {
        const places = [
          0,
          ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b),
          text.length,
        ];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        assert.deepEqual(readAll([...pieces, "\n"]), readAll([text, "\n"]));
        assert.deepEqual(readAll([...text, "\n"]), readAll([text, "\n"]));
      }),
    );
  });

  it("does not care which line break is used", () => {
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const read = (lineBreak: string) => readAll([`${lines.join(lineBreak)}${lineBreak}x`]);
        assert.deepEqual(read("\r\n"), read("\n"));
        assert.deepEqual(read("\r"), read("\n"));
      }),
    );
  });

  it("joins data lines, drops one space, and names the nameless", () => {
    assert.deepEqual(readAll(["data: a\ndata:  b\ndata\n\n"]), [
      { event: "message", data: "a\n b\n" },
    ]);
    assert.deepEqual(readAll(["event: x\n\ndata: y\n\n"]), [{ event: "message", data: "y" }]);
  });

  it("takes a line of a million small pieces", () => {
    const pieces = ["data: ", ...Array.from({ length: 1_000_000 }, () => "x"), "\n\n"];
    assert.equal(readAll(pieces)[0]?.data.length, 1_000_000);
  });
});
