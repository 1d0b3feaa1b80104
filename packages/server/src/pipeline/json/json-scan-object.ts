import { checkDepth, closeBrace, type JsonBytes, JsonFault, quote } from "./json-bytes.ts";
import { decodeString, skipColon, skipString, skipValue } from "./json-scan.ts";
import { firstOf, nextOf } from "./json-scan-list.ts";

/** Reads the value at `at` into `state` and gives the index after it. */
export type MemberReader<State> = (json: JsonBytes, at: number, state: State) => number;

/** The keys that decide at one place of a document, and what reads each. */
export type Level<State> = Readonly<{
  /** How many containers are open inside such an object. */
  depth: number;
  names: readonly string[];
  readers: readonly MemberReader<State>[];
  /** Bit n is set when a name of n characters decides: most keys are told apart by this alone. */
  lengths: number;
}>;

/** A key that decides is not written once, in its own spelling. */
export class KeyFault extends Error {
  readonly key: string;
  readonly kind: "repeated" | "misspelt";

  constructor(key: string, kind: "repeated" | "misspelt") {
    super(`${key} is ${kind}`);
    this.name = "KeyFault";
    this.key = key;
    this.kind = kind;
  }
}

/** Describes a level. Names are lower case, at most 30 characters, at most 30 of them. */
export const level = <State>(
  depth: number,
  readers: Readonly<Record<string, MemberReader<State>>>,
): Level<State> => ({
  depth,
  names: Object.keys(readers),
  readers: Object.values(readers),
  lengths: Object.keys(readers).reduce((bits, name) => bits | (1 << name.length), 0),
});

/**
 * Walks the object whose `{` is at `at`: deciding keys go to their readers, all else is only checked.
 * Gives the index after its `}`.
 * @throws JsonFault, or KeyFault for a deciding key that is repeated or spelt in another case:
 *   readers of JSON disagree on both, so no reading of such a body is the reading.
 */
export const walkObject = <State>(
  json: JsonBytes,
  at: number,
  here: Level<State>,
  state: State,
): number => {
  checkDepth(here.depth, at);
  let seen = 0;
  let i = firstOf(json, at, closeBrace);
  while (i >= 0) {
    if (i >= json.end || json.bytes[i] !== quote) {
      throw new JsonFault(i >= json.end ? "it ends too early" : "a key must be a string", i);
    }
    const afterKey = keyEnd(json, i + 1);
    const key = decidingKey(json.bytes, i + 1, afterKey - 1, here);
    const value = skipColon(json, afterKey);
    if (key < 0) {
      i =
        json.bytes[value] === quote
          ? skipString(json, value + 1)
          : skipValue(json, value, here.depth);
    } else {
      if ((seen & (1 << key)) !== 0) {
        throw new KeyFault(here.names[key] as string, "repeated");
      }
      seen |= 1 << key;
      i = (here.readers[key] as MemberReader<State>)(json, value, state);
    }
    i = nextOf(json, i, closeBrace);
  }
  return -1 - i;
};

/** Whether the key just scanned holds escapes or non-ASCII bytes, and so must be decoded to be judged. */
let keyIsPlain = true;

/** As `skipString`, for keys: they are short, and their plainness matters. */
const keyEnd = (json: JsonBytes, at: number): number => {
  const { bytes, end } = json;
  let all = 0;
  for (let i = at; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === quote) {
      keyIsPlain = all < 0x80;
      return i + 1;
    }
    if (byte === 0x5c || byte < 0x20) {
      keyIsPlain = false;
      return skipString(json, i);
    }
    all |= byte;
  }
  throw new JsonFault("a string has no end", end);
};

/** Which deciding key stands in `[start, end)`, or -1. @throws KeyFault for another spelling of one */
const decidingKey = <State>(
  bytes: Buffer,
  start: number,
  end: number,
  here: Level<State>,
): number => {
  if (!keyIsPlain) {
    return foldedKey(decodeString(bytes, start, end), here);
  }
  const length = end - start;
  if (length > 30 || (here.lengths & (1 << length)) === 0) {
    return -1;
  }
  for (let n = 0; n < here.names.length; n++) {
    const name = here.names[n] as string;
    if (name.length === length && looksLike(bytes, start, name)) {
      return isExactly(bytes, start, name)
        ? n
        : foldedKey(bytes.toString("latin1", start, end), here);
    }
  }
  return -1;
};

/** Equal but for case. (`|0x20` also makes `_` equal to DEL; `foldedKey` has the last word.) */
const looksLike = (bytes: Buffer, start: number, name: string): boolean => {
  for (let i = 0; i < name.length; i++) {
    if (((bytes[start + i] as number) | 0x20) !== (name.charCodeAt(i) | 0x20)) {
      return false;
    }
  }
  return true;
};

const isExactly = (bytes: Buffer, start: number, name: string): boolean => {
  for (let i = 0; i < name.length; i++) {
    if (bytes[start + i] !== name.charCodeAt(i)) {
      return false;
    }
  }
  return true;
};

/** Folds as the most lenient readers do: Go's encoding/json takes U+017F for s and U+212A for k. */
const foldedKey = <State>(key: string, here: Level<State>): number => {
  const exact = here.names.indexOf(key);
  if (exact >= 0) {
    return exact;
  }
  const folded = here.names.indexOf(key.toLowerCase().replaceAll("\u017f", "s"));
  if (folded >= 0) {
    throw new KeyFault(here.names[folded] as string, "misspelt");
  }
  return -1;
};
