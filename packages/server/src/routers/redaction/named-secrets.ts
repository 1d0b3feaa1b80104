import type { Range } from "./range.ts";
import { isPlainlySecret, isSecretAbbreviation, isSecretName } from "./secret-names.ts";
import { SnmpCommunities } from "./snmp-communities.ts";
import { spokenBefore, spokenSecrets } from "./spoken-secrets.ts";
import { isNameChar, skip, ValueEnds } from "./value-ends.ts";

/**
 * The values that go with a secret's name: `password=…`, `"secret":"…"`, `passphrase: …`, `:global Token "…"`,
 * "the password is …".
 */
export const namedSecrets = (text: string): readonly Range[] => {
  const ranges: Range[] = [];
  const reading: Reading = {
    text,
    ends: new ValueEnds(text),
    communities: new SnmpCommunities(text),
    wrapped: new Map(),
  };
  let at = 0;
  while (at < text.length) {
    if (!isNameChar(text.charCodeAt(at))) {
      at++;
      continue;
    }
    const start = at;
    at = reading.ends.wordEnd(at);
    for (const range of valuesOf(reading, start, at)) {
      if (range.end > range.start) {
        ranges.push(range);
      }
    }
  }
  return ranges;
};

/** A text as it is read, with what was found out about it. */
type Reading = Readonly<{
  text: string;
  ends: ValueEnds;
  communities: SnmpCommunities;
  /** Where the lines end that go on from the one ending here. */
  wrapped: Map<number, number>;
}>;

/** The values of the name from `start` to `end`; none when it is no secret's. */
const valuesOf = (reading: Reading, start: number, end: number): readonly Range[] => {
  const { text, ends } = reading;
  const name = text.slice(start, Math.min(end, start + longestName));
  if (!isSecretName(name) || isPublicKey(text, start, name)) {
    return text[end] === "=" && isMeant(reading, name, start)
      ? [{ start: end + 1, end: ends.valueEnd(end + 1) }]
      : [];
  }
  const earlier = spokenBefore(text, start);
  const later = valuesAfter(reading, start, end, name);
  return earlier === null ? later : [earlier, ...later];
};

const valuesAfter = (
  reading: Reading,
  start: number,
  end: number,
  name: string,
): readonly Range[] => {
  const { text } = reading;
  const afterQuotes = skip(text, end, quotes);
  const gap = skip(text, afterQuotes, blanks);
  const separated = separatorEnd(text, gap);
  if (separated > gap) {
    return [separatedValue(reading, gap, separated)];
  }
  return gap > afterQuotes
    ? spokenValues(reading, start, gap, name)
    : listedValues(text, end, name);
};

/** `password;X` and `password,X`, where X is no column's name. */
const listedValues = (text: string, end: number, name: string): readonly Range[] => {
  const [found, value = ""] = listed.exec(text.slice(end, end + longestName)) ?? [];
  const isValue = found !== undefined && namesOne.test(name) && /[A-Z0-9!-,/:-@_~^]/.test(value);
  return isValue && !isSecretName(value) ? [{ start: end + 1, end: end + 1 + value.length }] : [];
};

const listed = /^[;,]([^\s;,"'()[\]{}]{4,})/;
const namesOne = /(?:pass(?:word|phrase|wd|code)?|secret|token|private-?key)$/i;

/** A secret's name is not longer; of a longer run its beginning tells enough. */
const longestName = 256;

/** `name=` that is a secret's where it stands. */
const isMeant = ({ text, communities }: Reading, name: string, start: number): boolean => {
  if (isSecretAbbreviation(name)) {
    return true;
  }
  const lower = name.toLowerCase();
  const before = text.slice(Math.max(0, start - lookBack), start);
  return (
    ("name".startsWith(lower) && communities.has(start)) ||
    (lower === "p" && asksForPassword.test(before)) ||
    (oldOrNew.test(lower) && /\/password[^\n;]*$/.test(before))
  );
};

const lookBack = 160;
/** Of `/password`, whose settings are all passwords. */
const oldOrNew = /^(?:old?|new?|conf)[a-z-]*$/;
/** Commands in which `p=` is short for a password, as far as one line tells. */
const asksForPassword = /(?:user|secret|login|client|\/password|e-mail|fetch)[^\n;]*$/i;

const isPublicKey = (text: string, start: number, name: string): boolean =>
  /^key$/i.test(name) && /public $/i.test(text.slice(Math.max(0, start - 7), start));

const separatedValue = (reading: Reading, gap: number, separated: number): Range => {
  const { text, ends } = reading;
  const start = skipJoins(text, separated);
  const isWhole = text[gap] === ":" || text[gap] === "：";
  const end = ends.valueEnd(start, isWhole);
  const isLine = isWhole && end === ends.line(start);
  return { start, end: isLine ? wrappedEnd(reading, end) : end };
};

/** In a declaration everything is the value, whatever it looks like. */
const spokenValues = (
  { text, ends }: Reading,
  start: number,
  gap: number,
  name: string,
): readonly Range[] => {
  if (declaration.test(text.slice(Math.max(0, start - 12), start))) {
    const value = skipJoins(text, gap);
    return /^[;\])}]/.test(text.slice(value, value + 1))
      ? []
      : [{ start: value, end: ends.valueEnd(value) }];
  }
  return isHeading(text, start, ends) ? [] : spokenSecrets(text, gap, ends, isPlainlySecret(name));
};

const declaration = /:(?:global|local|set)[ \t]{1,4}["']?$/;

/** `NAME PASSWORD PROFILE`: the columns of a table. Only its beginning is looked at, so time stays linear. */
const isHeading = (text: string, start: number, ends: ValueEnds): boolean => {
  const before = text.slice(Math.max(0, start - lookBack), start);
  const after = text.slice(start, Math.min(ends.line(start), start + lookBack));
  return headings.test(before.slice(before.lastIndexOf("\n") + 1) + after);
};

const headings = /^\s*(?:#\s+)?(?:[A-Z][A-Z-]+\s+){2,}[A-Z][A-Z-]*\s*$/;

/** Past the lines that a long value goes on in: they stand further in than its own, and name nothing. */
const wrappedEnd = ({ text, ends, wrapped }: Reading, lineEnd: number): number => {
  const known = wrapped.get(lineEnd);
  if (known !== undefined) {
    return known;
  }
  const lineStart = text.lastIndexOf("\n", lineEnd - 1) + 1;
  const own = skip(text, lineStart, blanks) - lineStart;
  const isEmpty = /[:：][ \t]*$/.test(text.slice(Math.max(lineStart, lineEnd - 16), lineEnd));
  let end = lineEnd;
  for (let count = 0; count < mostWrapped; count++) {
    const start = nextLine(text, end);
    const inner = skip(text, start, blanks);
    const isDeeper = inner - start > own || (isEmpty && count === 0);
    if (!isDeeper || names.test(text.slice(inner, inner + 48)) || ends.line(inner) === inner) {
      break;
    }
    end = ends.line(inner);
  }
  wrapped.set(lineEnd, end);
  return end;
};

const mostWrapped = 4;
const names = /^[a-z][a-z0-9.-]*(?::(?:\s|$)|=\S)/i;

const nextLine = (text: string, lineEnd: number): number =>
  text[lineEnd] === "\r" && text[lineEnd + 1] === "\n" ? lineEnd + 2 : lineEnd + 1;

/** Past `=`, `:`, `=>`, `->` and their like; `gap` itself when there is none. */
const separatorEnd = (text: string, gap: number): number =>
  skip(text, text.startsWith("->", gap) ? gap + 2 : gap, separators);

/** Exports break long lines between a name and its value. */
const skipJoins = (text: string, from: number): number => {
  let at = skip(text, from, blanks);
  while (text[at] === "\\" && (text[at + 1] === "\n" || text.startsWith("\r\n", at + 1))) {
    at = skip(text, at + 1, lineEnds);
    at = skip(text, at, blanks);
  }
  return at;
};

const quotes = "\"'\\`)]";
const blanks = " \t";
const lineEnds = "\r\n";
const separators = "=:>：＝→";
