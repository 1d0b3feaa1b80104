import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** Cost of scrypt (RFC 7914): 32 MiB, about a fifth of a second. OWASP's equal of N=2^17, r=8, p=1. */
const cost = { N: 2 ** 15, r: 8, p: 3 } as const;
const maxmem = 96 * 1024 * 1024;
const hashBytes = 32;

const stored = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([A-Za-z0-9_-]{22,})\$([A-Za-z0-9_-]{43})$/;

/** `scrypt$N$r$p$salt$hash`, the last two base64url: 16 random bytes and 32. */
export const hashPassword = async (
  password: string,
  salt: Buffer = randomBytes(16),
): Promise<string> => {
  const key = await derive(password, salt, cost);
  const { N, r, p } = cost;
  return `scrypt$${N}$${r}$${p}$${salt.toString("base64url")}$${key.toString("base64url")}`;
};

/** False also for what `hashPassword` did not make. */
export const passwordFits = async (password: string, kept: string): Promise<boolean> => {
  const [, N, r, p, salt, hash] = stored.exec(kept) ?? [];
  if (salt === undefined || hash === undefined) {
    return false;
  }
  const parameters = { N: Number(N), r: Number(r), p: Number(p) };
  const key = await derive(password, Buffer.from(salt, "base64url"), parameters);
  return timingSafeEqual(key, Buffer.from(hash, "base64url"));
};

/** One password, however its letters are composed (NFKC, as NIST SP 800-63B has it). */
const derive = (
  password: string,
  salt: Buffer,
  parameters: Readonly<{ N: number; r: number; p: number }>,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const done = (error: Error | null, key: Buffer): void =>
      error === null ? resolve(key) : reject(error);
    scrypt(password.normalize("NFKC"), salt, hashBytes, { ...parameters, maxmem }, done);
  });
