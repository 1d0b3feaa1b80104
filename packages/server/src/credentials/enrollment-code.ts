import { hash, randomInt } from "node:crypto";

/** Crockford's base 32: no letter that is mistaken for a digit. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A code to read out or paste: 20 characters, 100 bits, in groups of five. */
export const newEnrollmentCode = (random: (max: number) => number = randomInt): string =>
  Array.from({ length: 4 }, () =>
    Array.from({ length: 5 }, () => alphabet.charAt(random(alphabet.length))).join(""),
  ).join("-");

/** The digest under which a code is stored; case, spaces and dashes do not count. */
export const enrollmentCodeHash = (code: string): string => {
  const plain = code.toUpperCase().replace(/[\s-]/g, "").replace(/[IL]/g, "1").replace(/O/g, "0");
  return hash("sha256", `claude-relay enrollment code ${plain}`, "hex");
};
