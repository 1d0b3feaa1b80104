/** Takes secrets out of what routers send: commands, outputs and logs, before a model or a log sees them. */
import { joinedLines } from "./redaction/joined-lines.ts";
import { knownSecrets } from "./redaction/known-secrets.ts";
import { namedSecrets } from "./redaction/named-secrets.ts";
import { plainLetters } from "./redaction/plain-letters.ts";
import type { Range } from "./redaction/range.ts";
import { shapedSecrets } from "./redaction/shaped-secrets.ts";
import { tableSecrets } from "./redaction/table-secrets.ts";
import { unspacedNames } from "./redaction/unspaced-names.ts";

/** Stands in place of each secret. */
const mark = "[redacted]";

/**
 * Gives the text without the values of passwords, keys and tokens, whether named (`password=…`, a table's column)
 * or known by their shape (PEM, JWT, long hex and base64, `user:password@`). Takes too much rather than too little.
 * Each rule sees the whole original text, so nothing one rule takes can hide a secret from another. Linear time.
 * @param known secrets to take out wherever they stand
 */
export const redact = (text: string, known: readonly string[] = []): string => {
  const ranges = [
    ...secretsInLines(text, known),
    ...tableSecrets(text),
    ...plainLetters(text).flatMap((plain) =>
      secretsInLines(plain.text, known)
        .filter(({ start, end }) => end > start)
        .map(plain.original),
    ),
  ];
  ranges.sort((a, b) => a.start - b.start);
  let result = "";
  let at = 0;
  for (const range of merged(ranges)) {
    result += text.slice(at, range.start) + mark;
    at = range.end;
  }
  return result + text.slice(at);
};

/** Whether the text has, in place of a secret, what `redact` put there. */
export const isRedacted = (text: string): boolean => text.includes(mark);

const secretsInLines = (text: string, known: readonly string[]): readonly Range[] => {
  const joined = joinedLines(text);
  return [
    ...secretsIn(text, known),
    ...(joined === null ? [] : secretsIn(joined.text, known).map(joined.original)),
  ];
};

const secretsIn = (text: string, known: readonly string[]): readonly Range[] => [
  ...namedSecrets(text),
  ...unspacedNames(text),
  ...shapedSecrets(text),
  ...knownSecrets(text, known),
];

/** Joins ranges that touch. Takes them sorted by start. */
function* merged(ranges: readonly Range[]): Generator<Range> {
  let open: Range | null = null;
  for (const range of ranges) {
    if (open !== null && range.start <= open.end) {
      open = { start: open.start, end: Math.max(open.end, range.end) };
      continue;
    }
    if (open !== null) {
      yield open;
    }
    open = range;
  }
  if (open !== null) {
    yield open;
  }
}
