import { randomFillSync } from "node:crypto";
import type { RequestId } from "@claude-relay/contract";

/** Crockford's base 32. */
const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const pool = Buffer.alloc(4096);
let used = pool.length;

/**
 * `req_` and a ULID: 48 bits of time, 80 random bits, sorting by time.
 * https://github.com/ulid/spec
 */
export const newRequestId = (nowMs: number): RequestId => {
  if (used + 16 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let id = `req_${timePart(nowMs)}`;
  for (let index = 0; index < 16; index += 1) {
    id += digits.charAt((pool[used++] ?? 0) & 31);
  }
  return id as RequestId;
};

let lastMs = -1;
let lastPart = "";

const timePart = (nowMs: number): string => {
  if (nowMs !== lastMs) {
    lastMs = nowMs;
    let rest = nowMs;
    lastPart = "";
    for (let index = 0; index < 10; index += 1) {
      lastPart = digits.charAt(rest % 32) + lastPart;
      rest = Math.floor(rest / 32);
    }
  }
  return lastPart;
};
