import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { encode } from "uqr";
import { isTooNarrow, qrLines, qrWidth } from "./qr-lines.ts";

const link = "https://relay.example.com/#code=ABCDE-FGHJK-MNPQR-STVWX";

/** The modules that lines show: true for what is drawn, as opposed to the background. */
const drawn = (lines: readonly string[]): boolean[][] =>
  lines.flatMap((line) => {
    const halves = [...stripVTControlCharacters(line)];
    return [
      halves.map((half) => half === "█" || half === "▀"),
      halves.map((half) => half === "█" || half === "▄"),
    ];
  });

describe("a QR code in a terminal", () => {
  it("is black on white where there are colours, whatever they are otherwise", () => {
    const lines = qrLines(link, { colours: true });
    for (const line of lines) {
      assert.ok(line.startsWith("\u001b[38;5;16;48;5;231m") && line.endsWith("\u001b[0m"));
    }
    const { data, size } = encode(link, { ecc: "M", border: 4 });
    assert.deepEqual(drawn(lines).slice(0, size), data);
  });

  it("is drawn with its light parts where there are none", () => {
    const dark = drawn(qrLines(link, { colours: true }));
    const light = drawn(qrLines(link, { colours: false }));
    assert.deepEqual(
      light.map((row) => row.map((module) => !module)),
      dark,
    );
  });

  it("has four light modules on each side, and lines of one width", () => {
    const dark = drawn(qrLines(link, { colours: true }));
    const width = qrWidth(link) ?? 0;
    const quiet = (row: readonly boolean[] = []): boolean => row.every((module) => !module);
    for (const [index, row] of dark.entries()) {
      assert.equal(row.length, width);
      assert.ok(quiet(row.slice(0, 4)) && quiet(row.slice(-4)));
      assert.ok((index >= 4 && index < width - 4) || quiet(row), `line ${index}`);
    }
  });

  it("is not made of a link that is too long for any", () => {
    assert.equal(qrWidth("é".repeat(1165)), 185);
    assert.equal(qrWidth("é".repeat(1166)), null);
  });
});

it("a terminal that does not know its width is not too narrow for the code", () => {
  assert.deepEqual(
    [0, undefined, 40, 41].map((columns) => isTooNarrow(columns, 41)),
    [false, false, true, false],
  );
});
