import { isIP } from "node:net";
import type { RateLimiter } from "../pipeline/rate-limiter.ts";

/** A limit by client address; IPv6 by its /64, of which one customer has every address. */
export const byAddress = (limiter: RateLimiter): RateLimiter => ({
  take: (address, rate) => limiter.take(addressKey(address), rate),
  peek: (address, rate) => limiter.peek(addressKey(address), rate),
});

/** What counts as one address: an IPv4 address, or an IPv6 /64. */
export const addressKey = (address: string): string => {
  if (isIP(address) !== 6) {
    return address;
  }
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array<string>(zeros).fill("0"), ...right].slice(0, 4).join(":");
};
