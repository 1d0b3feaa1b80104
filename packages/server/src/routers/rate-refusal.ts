import { RouterRefusal } from "../pipeline/router-ports.ts";

/** @param seconds until one more would pass */
export const rateLimited = (message: string, seconds: number): RouterRefusal => {
  const wait = Math.max(1, Math.ceil(seconds));
  return new RouterRefusal("rate_limited", `${message} Wait ${wait} s.`, { retry_after: wait });
};
