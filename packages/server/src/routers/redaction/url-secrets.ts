import type { Range } from "./range.ts";
import { isSecretName } from "./secret-names.ts";

/** What is secret in URLs: the password, which may itself hold `/`, `:` and `@`, and tokens in the path. */
export const urlSecrets = (text: string): readonly Range[] => {
  const ranges: Range[] = [];
  let slashes = text.indexOf("://");
  while (slashes >= 0) {
    const start = slashes + 3;
    let end = start;
    while (end < text.length && isUrlChar(text.charCodeAt(end))) {
      end++;
    }
    const url = text.slice(start, end);
    const colon = url.indexOf(":");
    const host = url.lastIndexOf("@");
    if (colon >= 0 && host > colon + 1) {
      ranges.push({ start: start + colon + 1, end: start + host });
    }
    ranges.push(...pathTokens(url, start));
    slashes = text.indexOf("://", end);
  }
  return ranges;
};

/** @param url without its scheme */
const pathTokens = (url: string, offset: number): readonly Range[] => {
  const ranges: Range[] = [];
  const path = url.split(/[?#]/, 1)[0] ?? "";
  const [host = "", ...segments] = path.split("/");
  let start = offset + host.length + 1;
  let isBehind = false;
  for (const [index, segment] of segments.entries()) {
    const token = segment.startsWith("bot") && segment.includes(":") ? segment.slice(3) : segment;
    const isNamed = index >= (hostTokens.get(hostName(host)) ?? Number.POSITIVE_INFINITY);
    if (token !== "" && (isNamed || token !== segment || isToken(token, isBehind))) {
      ranges.push({ start: start + segment.length - token.length, end: start + segment.length });
    }
    isBehind ||= leads.has(segment.toLowerCase()) || isSecretName(segment);
    start += segment.length + 1;
  }
  return ranges;
};

const hostName = (host: string): string =>
  host
    .slice(host.lastIndexOf("@") + 1)
    .replace(/:\d*$/, "")
    .toLowerCase()
    .split(".")
    .slice(-2)
    .join(".");

/** From which segment of the path on these services' URLs are secret. */
const hostTokens: ReadonlyMap<string, number> = new Map([
  ["duckdns.org", 2],
  ["hc-ping.com", 0],
]);

/** Behind these a path goes on with tokens. */
const leads = new Set(["webhook", "webhooks", "hook", "hooks", "services", "key", "ping"]);

const isToken = (segment: string, isBehind: boolean): boolean =>
  uuid.test(segment) ||
  (segment.length >= 16 && random.test(segment)) ||
  (isBehind && segment.length >= 8 && !segment.includes("."));

const uuid = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;
/** Small letters, capitals and digits, and no dot as a file's name has. */
const random = /^(?=[^.]*[a-z])(?=[^.]*[A-Z])(?=[^.]*\d)[^.]*$/;

/** Anything but white space, control characters, quotes and angle brackets. */
const isUrlChar = (code: number): boolean =>
  code > 0x20 && code !== 0x22 && code !== 0x27 && code !== 0x3c && code !== 0x3e && code !== 0x7f;
