import { hash, timingSafeEqual } from "node:crypto";

export type IsAdmin = (credential: string) => boolean;

/** Compares by digest and in constant time, so that neither length nor first difference shows. */
export const createIsAdmin = (adminToken: string): IsAdmin => {
  const expected = hash("sha256", adminToken, "buffer");
  return (credential) => timingSafeEqual(hash("sha256", credential, "buffer"), expected);
};
