import { createHash } from "node:crypto";
import { RouterError, ScriptFault } from "./faults.ts";

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

const readers: Readonly<Record<string, (text: string) => string>> = {
  raw: (text) => text,
  hex: (text) => bytes(text, "hex", /^(?:[0-9A-Fa-f]{2})*$/),
  base64: (text) => bytes(text, "base64", /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3}={0,2})?$/),
  base32: (text) => fromBase32(text),
  url: (text) => text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parse(hex))),
};

const writers: Readonly<Record<string, (raw: string) => string>> = {
  raw: (raw) => raw,
  hex: (raw) => Buffer.from(raw, "latin1").toString("hex"),
  base64: (raw) => Buffer.from(raw, "latin1").toString("base64"),
  base32: (raw) => toBase32(raw),
  url: (raw) => raw.replace(/[^A-Za-z0-9._~-]/g, (c) => `%${hex(c.charCodeAt(0)).toUpperCase()}`),
};

const transforms: Readonly<Record<string, (raw: string) => string>> = {
  md5: (raw) => digest("md5", raw),
  sha512: (raw) => digest("sha512", raw),
  lc: (raw) => raw.replace(/[A-Z]/g, (c) => c.toLowerCase()),
  uc: (raw) => raw.replace(/[a-z]/g, (c) => c.toUpperCase()),
  lcfirst: (raw) => raw.charAt(0).toLowerCase() + raw.slice(1),
  ucfirst: (raw) => raw.charAt(0).toUpperCase() + raw.slice(1),
  crlf: (raw) => raw.replace(/\r?\n/g, "\r\n"),
  lf: (raw) => raw.replaceAll("\r\n", "\n"),
  reverse: (raw) => [...raw].reverse().join(""),
  rot13: (raw) =>
    raw.replace(/[A-Za-z]/g, (c) => {
      const base = c <= "Z" ? 65 : 97;
      return String.fromCharCode(((c.charCodeAt(0) - base + 13) % 26) + base);
    }),
};

/**
 * `:convert from=… to=… transform=…` over bytes. There is no sha256 and no HMAC on a router, and
 * `sha512: false` is a router too old for it.
 */
export function convert(
  text: string,
  how: { from: string; to: string; transform: string; sha512: boolean },
): string {
  const read = readers[how.from];
  const write = writers[how.to];
  if (read === undefined || write === undefined) {
    throw unknown(read === undefined ? "from" : "to", read === undefined ? how.from : how.to);
  }
  const raw = read(text);
  if (how.transform === "") {
    return write(raw);
  }
  const change = transforms[how.transform];
  if (change === undefined || (how.transform === "sha512" && !how.sha512)) {
    throw unknown("transform", how.transform);
  }
  return write(change(raw));
}

function unknown(parameter: string, value: string): Error {
  if (["num", "byte-array", "bit-array-lsb", "bit-array-msb"].includes(value)) {
    return new ScriptFault(`:convert ${parameter}=${value} is not implemented in this interpreter`);
  }
  return new RouterError(`input does not match any value of ${parameter}`);
}

const parse = (hexDigits: string): number => Number.parseInt(hexDigits, 16);
const hex = (code: number): string => code.toString(16).padStart(2, "0");

function digest(algorithm: string, raw: string): string {
  return createHash(algorithm).update(Buffer.from(raw, "latin1")).digest("latin1");
}

function bytes(text: string, encoding: "hex" | "base64", form: RegExp): string {
  if (!form.test(text)) {
    throw new RouterError(`invalid ${encoding} value`);
  }
  return Buffer.from(text, encoding).toString("latin1");
}

function toBase32(raw: string): string {
  const bits = [...raw].map((c) => c.charCodeAt(0).toString(2).padStart(8, "0")).join("");
  const text = (bits.match(/.{1,5}/g) ?? [])
    .map((five) => base32.charAt(Number.parseInt(five.padEnd(5, "0"), 2)))
    .join("");
  return text.padEnd(Math.ceil(text.length / 8) * 8, "=");
}

function fromBase32(text: string): string {
  const digits = text.replace(/=+$/, "");
  if (!/^[A-Z2-7]*$/.test(digits)) {
    throw new RouterError("invalid base32 value");
  }
  const bits = [...digits].map((c) => base32.indexOf(c).toString(2).padStart(5, "0")).join("");
  return (bits.match(/.{8}/g) ?? [])
    .map((eight) => String.fromCharCode(Number.parseInt(eight, 2)))
    .join("");
}
