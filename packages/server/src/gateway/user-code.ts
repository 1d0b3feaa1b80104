import { randomInt } from "node:crypto";

/** Consonants that are hard to mistake and spell no words: RFC 8628 §6.1. Eight of them are 34 bits. */
const letters = "BCDFGHJKLMNPQRSTVWXZ";
const length = 8;

/** A code for a person to type, without its dash. */
export const newUserCode = (random: (below: number) => number = randomInt): string =>
  Array.from({ length }, () => letters.charAt(random(letters.length))).join("");

/** As it is shown: `BCDF-GHJK`. */
export const shownUserCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`;

/** What a person typed, in capitals and without whatever is no letter of a code; null when that is no code. */
export const readUserCode = (typed: string): string | null => {
  if (typed.length > 64) {
    return null;
  }
  const code = typed.toUpperCase().replace(/[^A-Z]/g, "");
  return code.length === length && [...code].every((letter) => letters.includes(letter))
    ? code
    : null;
};
