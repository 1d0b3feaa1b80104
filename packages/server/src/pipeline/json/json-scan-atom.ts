/** Numbers, and the names `true`, `false` and `null`. */

import { type JsonBytes, unexpected } from "./json-bytes.ts";

export const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 0x30 && byte <= 0x39;

const skipDigits = (json: JsonBytes, at: number): number => {
  const { bytes, end } = json;
  if (at >= end || !isDigit(bytes[at])) {
    throw unexpected(json, at);
  }
  let i = at + 1;
  while (i < end && isDigit(bytes[i])) {
    i++;
  }
  return i;
};

export const skipNumber = (json: JsonBytes, at: number): number => {
  const { bytes, end } = json;
  let i = bytes[at] === 0x2d ? at + 1 : at;
  i = i < end && bytes[i] === 0x30 ? i + 1 : skipDigits(json, i);
  if (i < end && bytes[i] === 0x2e) {
    i = skipDigits(json, i + 1);
  }
  if (i < end && ((bytes[i] as number) | 0x20) === 0x65) {
    const sign = i + 1 < end ? bytes[i + 1] : 0;
    i = skipDigits(json, sign === 0x2b || sign === 0x2d ? i + 2 : i + 1);
  }
  return i;
};

export const skipLiteral = (json: JsonBytes, at: number, literal: string): number => {
  for (let i = 0; i < literal.length; i++) {
    if (at + i >= json.end || json.bytes[at + i] !== literal.charCodeAt(i)) {
      throw unexpected(json, at + i);
    }
  }
  return at + literal.length;
};
