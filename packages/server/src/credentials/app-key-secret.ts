import { hash, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

/** Marks our keys for secret scanners: /\bcrk_[0-9A-Za-z]{49}\b/, and a checksum against false alarms. */
const prefix = "crk_";
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 43 base62 characters: 256 bits. */
const randomLength = 43;
const checksumLength = 6;

/** A new app key: `crk_`, 256 random bits, and the CRC-32 of what stands before it. */
export const newAppKeySecret = (random: (max: number) => number = randomInt): string => {
  const body = Array.from({ length: randomLength }, () =>
    alphabet.charAt(random(alphabet.length)),
  ).join("");
  return `${prefix}${body}${checksum(body)}`;
};

/** Whether a credential claims to be an app key, good or not. */
export const looksLikeAppKey = (credential: string): boolean => credential.startsWith(prefix);

/** The digest under which a key is stored and found. */
export const appKeyHash = (secret: string): string => hash("sha256", secret, "hex");

/** False for a key mistyped or cut short; says nothing of whether it exists. */
export const isWellFormedAppKey = (secret: string): boolean => {
  const body = secret.slice(prefix.length, -checksumLength);
  return (
    looksLikeAppKey(secret) &&
    body.length === randomLength &&
    secret.slice(-checksumLength) === checksum(body)
  );
};

const checksum = (body: string): string => {
  let rest = crc32(body);
  let digits = "";
  for (let place = 0; place < checksumLength; place += 1) {
    digits = alphabet.charAt(rest % alphabet.length) + digits;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
};
