import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Config } from "./config.ts";

/** The Redis that instances share, and what this one is called there. */
export type SharedRedis = Readonly<{ url: string; instance: string }>;

/**
 * Null for a relay of one process. An instance's name is never used twice: what an earlier process held is not
 * this one's.
 */
export const redisOf = ({ redisUrl }: Config): SharedRedis | null =>
  redisUrl === null
    ? null
    : { url: redisUrl, instance: `${hostname()}-${randomBytes(8).toString("hex")}` };
