import { type JsonBytes, quote } from "../json/json-bytes.ts";
import { decodeString, skipString, skipValue } from "../json/json-scan.ts";
import { Refusal } from "../refusal.ts";

/** The longest deciding string taken; the longest known model id has 30 characters. */
const maxLength = 256;
/** Far above any model's output, low enough for exact money arithmetic. */
const maxCount = 1_000_000_000;

/** What a `read…` function found; the index after the value is its return value. */
export type Found<T> = { value: T };

const refuse = (field: string, expected: string): Refusal =>
  new Refusal("invalid_request", `${field}: must be ${expected}`);

/**
 * Reads a string of printable ASCII, or null.
 * @throws Refusal for anything else: such a value has no one reading in logs, headers and price tables
 */
export const readText = (
  json: JsonBytes,
  at: number,
  field: string,
  found: Found<string | null>,
): number => {
  if (json.bytes[at] !== quote) {
    const end = skipValue(json, at, 1);
    if (!isLiteral(json, at, end, "null")) {
      throw refuse(field, "a string");
    }
    found.value = null;
    return end;
  }
  const end = skipString(json, at + 1);
  if (end - at > 6 * maxLength + 2) {
    throw refuse(field, `at most ${maxLength} characters`);
  }
  const text = decodeString(json.bytes, at + 1, end - 1);
  if (text.length === 0 || text.length > maxLength || !/^[\x20-\x7e]+$/.test(text)) {
    throw refuse(field, `1 to ${maxLength} printable ASCII characters`);
  }
  found.value = text;
  return end;
};

/**
 * Reads a whole number in plain digits, or null. `1.0` and `1e3` are refused: readers disagree on whether
 * they are integers.
 */
export const readCount = (
  json: JsonBytes,
  at: number,
  field: string,
  least: number,
  found: Found<number | null>,
): number => {
  const end = skipValue(json, at, 1);
  if (isLiteral(json, at, end, "null")) {
    found.value = null;
    return end;
  }
  let count = 0;
  for (let i = at; i < end; i++) {
    const digit = (json.bytes[i] as number) - 0x30;
    // A double cannot miss this: once over the limit, ten times more is over it too.
    if (digit < 0 || digit > 9) {
      count = Number.NaN;
    } else {
      count = count * 10 + digit;
    }
  }
  if (!(count >= least && count <= maxCount)) {
    throw refuse(field, `a whole number in plain digits, from ${least} to ${maxCount}`);
  }
  found.value = count;
  return end;
};

/** Reads `true` or `false`. */
export const readFlag = (
  json: JsonBytes,
  at: number,
  field: string,
  found: Found<boolean>,
): number => {
  const end = skipValue(json, at, 1);
  const isTrue = isLiteral(json, at, end, "true");
  if (!isTrue && !isLiteral(json, at, end, "false")) {
    throw refuse(field, "true or false");
  }
  found.value = isTrue;
  return end;
};

/** Whether the value in `[at, end)`, known to be valid, is this literal: the first byte and length tell. */
export const isLiteral = (json: JsonBytes, at: number, end: number, literal: string): boolean =>
  end - at === literal.length && json.bytes[at] === literal.charCodeAt(0);
