import type { Range } from "./range.ts";
import { urlSecrets } from "./url-secrets.ts";

/** Secrets known by their shape alone. Every rule reads each character a fixed number of times. */
export const shapedSecrets = (text: string): readonly Range[] => [
  ...pemBlocks(text),
  ...urlSecrets(text),
  ...opaqueRuns(withoutPublicKeys(text)),
];

/** From `-----BEGIN` to the end line; to the end of the text when that was cut off. */
const pemBlocks = (text: string): readonly Range[] => {
  const ranges: Range[] = [];
  let start = text.indexOf(pemBegin);
  while (start >= 0) {
    const endLine = text.indexOf(pemEnd, start);
    const dashes = endLine < 0 ? -1 : text.indexOf("-----", endLine + pemEnd.length);
    const end = dashes < 0 ? text.length : dashes + 5;
    ranges.push({ start, end });
    start = text.indexOf(pemBegin, end);
  }
  return ranges;
};

const pemBegin = "-----BEGIN";
const pemEnd = "-----END";

/**
 * The text without WireGuard's public keys where they are named: they tell peers apart. What stands in their place
 * is as long.
 */
const withoutPublicKeys = (text: string): string =>
  text.replace(publicKey, (_, name: string, key: string) => name + " ".repeat(key.length));

const publicKey =
  /(public[-_ ]?key["'\\]{0,4}[ \t]{0,8}(?:=>|->|[=:])[ \t]{0,8}["'\\]{0,4})([A-Za-z0-9+/]{43}=)(?![A-Za-z0-9+/=])/gi;

/** Keys and tokens: long runs of characters without sense. */
const opaqueRuns = (text: string): readonly Range[] => {
  const ranges: Range[] = [];
  let at = 0;
  while (at < text.length) {
    const end = runEnd(text, at, isTokenChar);
    if (end > at) {
      collect(text.slice(at, end), at, ranges);
    }
    at = end + 1;
  }
  return ranges;
};

/** Adds what is secret in one run without spaces, quotes or brackets. */
const collect = (run: string, offset: number, ranges: Range[]): void => {
  for (const prefix of prefixes) {
    const at = run.indexOf(prefix);
    if (at >= 0 && run.length - at >= prefix.length + 8) {
      ranges.push({ start: offset + at, end: offset + run.length });
    }
  }
  collectTelegram(run, offset, ranges);
  collectFingerprint(run, offset, ranges);
  collectRuns(run, offset, ranges, isHexChar, (part) => part.length >= 32);
  collectRuns(run, offset, ranges, isBase64Char, isBase64Key);
  collectRuns(run, offset, ranges, isUrlSafeChar, (part) => part.length >= 40 && isMixed(part));
};

/** Ours, Anthropic's, and those of services that routers are often made to talk to; `eyJ` begins a JWT. */
const prefixes = [
  "sk-ant-",
  "sk-",
  "crk_",
  "crr_",
  "eyJ",
  "ghp_",
  "github_pat_",
  "xoxb-",
  "AKIA",
  "AIza",
];

/** `123456789:AA…`: digits, a colon, 30 characters or more. */
const collectTelegram = (run: string, offset: number, ranges: Range[]): void => {
  let colon = run.indexOf(":");
  let from = 0;
  while (colon >= 0) {
    let start = colon;
    while (start > from && isDigit(run.charCodeAt(start - 1))) {
      start--;
    }
    const end = runEnd(run, colon + 1, isUrlSafeChar);
    if (colon - start >= 5 && end - colon > 30) {
      ranges.push({ start: offset + start, end: offset + end });
    }
    from = colon + 1;
    colon = run.indexOf(":", from);
  }
};

/** Sixteen or more pairs of hex digits with colons: longer than any MAC or IP address. */
const collectFingerprint = (run: string, offset: number, ranges: Range[]): void => {
  const groups = run.split(":");
  let at = 0;
  let start = 0;
  let pairs = 0;
  for (const group of [...groups, ""]) {
    const isPair =
      group.length === 2 && isHexChar(group.charCodeAt(0)) && isHexChar(group.charCodeAt(1));
    if (isPair) {
      start = pairs === 0 ? at : start;
      pairs++;
    } else {
      if (pairs >= 15) {
        ranges.push({
          start: offset + start,
          end: offset + Math.min(at + group.length, run.length),
        });
      }
      pairs = 0;
    }
    at += group.length + 1;
  }
};

const collectRuns = (
  run: string,
  offset: number,
  ranges: Range[],
  isPart: (code: number) => boolean,
  isSecret: (part: string) => boolean,
): void => {
  let at = 0;
  while (at < run.length) {
    const end = runEnd(run, at, isPart);
    if (end > at && isSecret(run.slice(at, end))) {
      ranges.push({ start: offset + at, end: offset + end });
    }
    at = end + 1;
  }
};

/** WireGuard's keys are 43 characters and `=`; others are longer or without it. A path has no capitals. */
const isBase64Key = (part: string): boolean => {
  const bare = part.replaceAll("=", "");
  if (bare.length < 40) {
    return false;
  }
  const padded = bare.length < part.length && bare.length >= 43;
  return padded ? upper.test(bare) && lower.test(bare) : isMixed(bare);
};

const isMixed = (part: string): boolean => upper.test(part) && lower.test(part) && digit.test(part);

const upper = /[A-Z]/;
const lower = /[a-z]/;
const digit = /\d/;

const runEnd = (text: string, from: number, isPart: (code: number) => boolean): number => {
  let at = from;
  while (at < text.length && isPart(text.charCodeAt(at))) {
    at++;
  }
  return at;
};

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

const isAlphanumeric = (code: number): boolean => {
  const letter = code | 0x20;
  return isDigit(code) || (letter >= 0x61 && letter <= 0x7a);
};

const isHexChar = (code: number): boolean => {
  const letter = code | 0x20;
  return isDigit(code) || (letter >= 0x61 && letter <= 0x66);
};

/** Also `+`, `/` and the padding. */
const isBase64Char = (code: number): boolean =>
  isAlphanumeric(code) || code === 0x2b || code === 0x2f || code === 0x3d;

/** Also `-` and `_`. */
const isUrlSafeChar = (code: number): boolean =>
  isAlphanumeric(code) || code === 0x2d || code === 0x5f;

/** Also `.` and `:`, between the parts of a token. */
const isTokenChar = (code: number): boolean =>
  isBase64Char(code) || isUrlSafeChar(code) || code === 0x2e || code === 0x3a;
