import type { Range } from "./range.ts";

/** A text in plain letters, and where its characters stood before. */
export type PlainLetters = Readonly<{ text: string; original: (range: Range) => Range }>;

/**
 * The text as a reader sees it: full-width and styled letters made plain, what is not seen left out, `%3D` as `=`.
 * With odd blanks (such as no-break ones) it comes twice: with plain blanks, and without, for they may stand in a name.
 * Nothing when the text is plain already.
 */
export const plainLetters = (text: string): readonly PlainLetters[] => {
  if (!odd.test(text)) {
    return [];
  }
  return oddBlank.test(text) ? [inPlain(text, " "), inPlain(text, "")] : [inPlain(text, " ")];
};

const inPlain = (text: string, blank: string): PlainLetters => {
  const starts: number[] = [];
  const ends: number[] = [];
  let plain = "";
  const keep = (written: string, start: number, end: number): void => {
    plain += written;
    for (let count = 0; count < written.length; count++) {
      // A run that stays as it is keeps its places; what is replaced shares one.
      const same = written.length === end - start;
      starts.push(same ? start + count : start);
      ends.push(same ? start + count + 1 : end);
    }
  };
  let from = 0;
  for (const found of text.matchAll(oddParts)) {
    const end = found.index + found[0].length;
    keep(text.slice(from, found.index), from, found.index);
    keep(plainPart(found[0], blank), found.index, end);
    from = end;
  }
  keep(text.slice(from), from, text.length);
  return {
    text: plain,
    original: ({ start, end }) => ({
      start: starts[start] ?? text.length,
      end: ends[end - 1] ?? text.length,
    }),
  };
};

const plainPart = (part: string, blank: string): string => {
  if (part.startsWith("%")) {
    return /a$/i.test(part) ? ":" : "=";
  }
  if (unseen.test(part)) {
    return "";
  }
  return oddBlank.test(part) ? blank : part.normalize("NFKC");
};

const unseen =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /^(?:[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\p{Cf}|\u034f|[\ufe00-\ufe0f])/u;
const oddBlank = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/;
const odd =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\uffff]|%(?:25)*3[ad]/i;
/** Colours and cursor moves, signs written as `%3D`, and every other character that may not be plain. */
const oddParts =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /\u001b\[[0-9;?]{0,32}[A-Za-z]|%(?:25){0,4}3[ADad]|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u{7f}-\u{10ffff}]/gu;
