import { no, nothing, num, str, time, type Value, yes } from "./values.ts";

const units: Readonly<Record<string, bigint>> = {
  w: 604_800_000_000_000n,
  d: 86_400_000_000_000n,
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  ns: 1n,
};

export const ipPattern = /^(?:\d{1,3}\.){3}\d{1,3}$/;

/** `1w2d03:04:05.5`, `10s`, `1h30m`; undefined for anything else. */
export function readTime(text: string): bigint | undefined {
  const match =
    /^((?:\d+(?:ms|us|ns|[wdhms]))*)(?:(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?)?$/.exec(text);
  if (match === null || text === "") {
    return undefined;
  }
  const [, parts = "", hours, minutes = "0", seconds = "0", fraction = "."] = match;
  let total = BigInt(`${fraction.slice(1)}000000000`.slice(0, 9));
  for (const [, count = "0", unit = "s"] of parts.matchAll(/(\d+)(ms|us|ns|[wdhms])/g)) {
    total += BigInt(count) * (units[unit] ?? 0n);
  }
  const clock = BigInt(hours ?? 0) * 3600n + BigInt(minutes) * 60n + BigInt(seconds);
  return total + clock * 1_000_000_000n;
}

/** A decimal or `0x` number; undefined for anything else. */
export function readNumber(text: string): bigint | undefined {
  if (/^-?\d+$/.test(text) || /^0x[0-9A-Fa-f]+$/.test(text)) {
    return BigInt.asIntN(64, BigInt(text));
  }
  return undefined;
}

/** What a bare word means to a built-in command. */
export function readWord(text: string): Value {
  const number = readNumber(text);
  if (number !== undefined) {
    return num(number);
  }
  if (text === "true" || text === "false") {
    return text === "true" ? yes : no;
  }
  if (ipPattern.test(text)) {
    return { kind: "ip", text };
  }
  if (/^(?:\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/.test(text)) {
    return { kind: "ip-prefix", text };
  }
  if (/^\*[0-9A-F]+$/.test(text)) {
    return { kind: "id", text };
  }
  const span = readTime(text);
  return span !== undefined ? time(span) : text === "" ? nothing : str(text);
}
