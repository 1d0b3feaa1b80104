/** A QR code for a terminal: two modules to a character, one above the other. */
import { encode } from "uqr";

/** Light modules that readers need around the code, on each side (ISO/IEC 18004). */
const quietZone = 4;

/** What the largest code holds at that level of error correction (ISO/IEC 18004, version 40-M). */
const mostBytes = 2331;

/** Black on white whatever the terminal's own colours are: of the fixed part of the 256, which no theme changes. */
const blackOnWhite = "\u001b[38;5;16;48;5;231m";
const reset = "\u001b[0m";

type Options = Readonly<{
  /** Whether the terminal knows colours. Without them, its own are taken for light on dark, as most are. */
  colours: boolean;
}>;

/** The lines of the code that holds `text`; each as wide as the others. */
export const qrLines = (text: string, { colours }: Options): readonly string[] => {
  const { data: dark } = encode(text, { ecc: "M", border: quietZone });
  const ink = (row: number, column: number): boolean => {
    // Below the last row of an odd number of them: quiet zone.
    const isDark = dark[row]?.[column] ?? false;
    return colours ? isDark : !isDark;
  };
  const lines = Array.from({ length: Math.ceil(dark.length / 2) }, (_, line) =>
    Array.from({ length: dark.length }, (_, column) =>
      half(ink(2 * line, column), ink(2 * line + 1, column)),
    ).join(""),
  );
  return colours ? lines.map((line) => blackOnWhite + line + reset) : lines;
};

/** How many characters wide the code would be; null for a text too long for any. */
export const qrWidth = (text: string): number | null =>
  Buffer.byteLength(text) > mostBytes ? null : encode(text, { ecc: "M", border: quietZone }).size;

/** Whether a terminal of so many columns breaks the code's lines. One that says 0, or nothing, does not know. */
export const isTooNarrow = (columns: number | undefined, width: number): boolean =>
  columns !== undefined && columns > 0 && columns < width;

const half = (upper: boolean, lower: boolean): string => {
  if (upper) {
    return lower ? "█" : "▀";
  }
  return lower ? "▄" : " ";
};
