/**
 * A strict JSON (RFC 8259) reader over raw bytes that checks everything and builds nothing.
 * `skip…` functions take the index of a value's first byte and give the index after its last one.
 */
import {
  checkDepth,
  comma,
  type JsonBytes,
  JsonFault,
  maxDepth,
  openBrace,
  openBracket,
  quote,
  unexpected,
} from "./json-bytes.ts";
import { isDigit, skipLiteral, skipNumber } from "./json-scan-atom.ts";

const colon = 0x3a;
const backslash = 0x5c;
const tableOf = (characters: string): Uint8Array => {
  const table = new Uint8Array(256);
  for (const character of characters) {
    table[character.charCodeAt(0)] = 1;
  }
  return table;
};
const isSpace = tableOf(" \t\n\r");
/** 1 for the escapes of two characters, 2 for `u`, which takes four more. */
const escapeKind = tableOf('"\\/bfnrt');
escapeKind[0x75] = 2;
const isHex = tableOf("0123456789abcdefABCDEF");
/** Ends a run of plain string bytes: the quote, the backslash and the control characters. */
const isSpecial = tableOf('"\\');
isSpecial.fill(1, 0, 0x20);

/** Which container each open bracket is; shared, because a scan never yields. */
const containers = new Uint8Array(maxDepth + 1);

/** Skips white space. The first test alone answers for compact JSON. */
export const skipSpace = (json: JsonBytes, at: number): number =>
  at < json.end && (json.bytes[at] as number) > 0x20 ? at : skipSpaces(json, at);

const skipSpaces = (json: JsonBytes, at: number): number => {
  const { bytes, end } = json;
  let i = at;
  while (i < end && isSpace[bytes[i] as number] === 1) {
    i++;
  }
  return i;
};

/**
 * Skips a string, hopping four plain bytes at a time.
 * Two tests find the bytes that end a hop in a whole word: `^ 2` moves the quote next to the control
 * characters, so "below 0x21" means either; the other is the backslash. The lowest hit is always true, the
 * first special byte of the word; only hits above it may be false, so it is the one that is used.
 * @param at the byte after the opening quote
 */
export const skipString = (json: JsonBytes, at: number): number => {
  const { bytes, words, end } = json;
  const lastWord = end - 4;
  let i = at;
  for (;;) {
    let hits = 0;
    while (i <= lastWord) {
      const word = words.getInt32(i, true);
      const low = word ^ 0x02020202;
      const slash = word ^ 0x5c5c5c5c;
      hits = (((low - 0x21212121) & ~low) | ((slash - 0x01010101) & ~slash)) & 0x80808080;
      if (hits !== 0) {
        break;
      }
      i += 4;
    }
    if (hits !== 0) {
      i += (31 - Math.clz32(hits & -hits)) >> 3;
    } else {
      while (i < end && isSpecial[bytes[i] as number] === 0) {
        i++;
      }
    }
    if (i >= end) {
      throw new JsonFault("a string has no end", end);
    }
    const byte = bytes[i] as number;
    if (byte === quote) {
      return i + 1;
    }
    if (byte !== backslash) {
      throw new JsonFault("a control character in a string is not escaped", i);
    }
    const isShort = i + 1 < end && escapeKind[bytes[i + 1] as number] === 1;
    i = isShort ? i + 2 : skipEscape(json, i);
  }
};

const skipEscape = (json: JsonBytes, at: number): number => {
  const { bytes, end } = json;
  if (at + 1 >= end) {
    throw new JsonFault("a string has no end", end);
  }
  const byte = bytes[at + 1] as number;
  if (escapeKind[byte] === 0) {
    throw new JsonFault("a backslash in a string starts no escape", at);
  }
  if (byte !== 0x75) {
    return at + 2;
  }
  if (at + 6 > end) {
    throw new JsonFault("a string has no end", end);
  }
  for (let i = at + 2; i < at + 6; i++) {
    if (isHex[bytes[i] as number] === 0) {
      throw new JsonFault("\\u needs four hexadecimal digits", at);
    }
  }
  return at + 6;
};

const skipScalar = (json: JsonBytes, at: number): number => {
  if (at >= json.end) {
    throw unexpected(json, at);
  }
  const byte = json.bytes[at] as number;
  if (byte === quote) {
    return skipString(json, at + 1);
  }
  if (byte === 0x74) {
    return skipLiteral(json, at, "true");
  }
  if (byte === 0x66) {
    return skipLiteral(json, at, "false");
  }
  if (byte === 0x6e) {
    return skipLiteral(json, at, "null");
  }
  if (byte === 0x2d || isDigit(byte)) {
    return skipNumber(json, at);
  }
  throw unexpected(json, at);
};

/** Skips `:` and the spaces around it. */
export const skipColon = (json: JsonBytes, at: number): number => {
  const i = skipSpace(json, at);
  if (i >= json.end || json.bytes[i] !== colon) {
    throw unexpected(json, i);
  }
  return skipSpace(json, i + 1);
};

/** Skips a key and its colon. Keys are short and colons bare: byte by byte is fastest. */
const skipKey = (json: JsonBytes, at: number): number => {
  const { bytes, end } = json;
  if (at >= end || bytes[at] !== quote) {
    throw unexpected(json, at);
  }
  let i = at + 1;
  while (i < end && isSpecial[bytes[i] as number] === 0) {
    i++;
  }
  i = i < end && bytes[i] === quote ? i + 1 : skipString(json, i);
  if (i + 1 < end && bytes[i] === colon && (bytes[i + 1] as number) > 0x20) {
    return i + 1;
  }
  return skipColon(json, i);
};

/**
 * Skips one value of any kind, in a loop rather than by recursion.
 * @param depth how many containers are open around it
 */
export const skipValue = (json: JsonBytes, at: number, depth: number): number => {
  const { bytes, end } = json;
  let open = depth;
  let i = at;
  for (;;) {
    const byte = i < end ? (bytes[i] as number) : 0;
    if (byte === quote) {
      i = skipString(json, i + 1);
    } else if (byte === openBrace || byte === openBracket) {
      checkDepth(++open, i);
      containers[open] = byte;
      i = skipSpace(json, i + 1);
      // An empty container is closed by the loop below; `{` and `[` are two below their closers.
      if (i >= end || bytes[i] !== byte + 2) {
        if (byte === openBrace) {
          i = skipKey(json, i);
        }
        continue;
      }
    } else {
      i = skipScalar(json, i);
    }

    for (;;) {
      if (open === depth) {
        return i;
      }
      const container = containers[open] as number;
      let next = i < end ? (bytes[i] as number) : 0;
      if (next <= 0x20) {
        i = skipSpace(json, i);
        next = i < end ? (bytes[i] as number) : 0;
      }
      if (next === comma) {
        i = skipSpace(json, i + 1);
        if (container === openBrace) {
          i = skipKey(json, i);
        }
        break;
      }
      if (next !== container + 2) {
        throw unexpected(json, i);
      }
      open--;
      i++;
    }
  }
};

/** The text of the string between its quotes, escapes resolved; the bytes are known to be valid. */
export const decodeString = (bytes: Buffer, start: number, end: number): string => {
  const raw = bytes.toString("utf8", start, end);
  return raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
};
