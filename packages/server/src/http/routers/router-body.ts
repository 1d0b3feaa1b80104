import type { IncomingMessage } from "node:http";
import { demandBounded } from "../../pipeline/json/demand-bounded.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { RouterRefusal } from "../../pipeline/router-ports.ts";
import { routerRefusalOf } from "../../pipeline/router-refusal.ts";
import { BodyPool } from "../body-pool.ts";
import { readBody } from "../read-body.ts";

/** RouterOS sends no more than this either. */
const longestBody = 64 * 1024;
const pool = new BodyPool();

/** The bytes as they came, which are what a router signs. @throws RouterRefusal `too_large`, `invalid_request` */
export const bodyOf = async (raw: IncomingMessage): Promise<Buffer> => {
  try {
    return await readBody(raw, { bytes: longestBody }, pool);
  } catch (error) {
    throw routerRefusalOf(error);
  }
};

/** A body's JSON, of whatever kind. @throws RouterRefusal `invalid_request`, `too_large` */
export const parsed = (body: Buffer): unknown => {
  try {
    demandBounded(body, longestBody);
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch (error) {
    throw error instanceof Refusal
      ? routerRefusalOf(error)
      : new RouterRefusal("invalid_request", "The body must be one JSON object in UTF-8.");
  }
};
