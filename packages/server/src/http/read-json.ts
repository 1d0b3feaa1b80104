import type { IncomingMessage } from "node:http";
import { demandBounded } from "../pipeline/json/demand-bounded.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { BodyPool } from "./body-pool.ts";
import { demandJson } from "./content-type.ts";
import { readBody } from "./read-body.ts";

const pool = new BodyPool();

/**
 * Reads a body of our own routes as JSON, strict about type and coding; undefined when there is none.
 * @param limit bytes
 * @param nestedLimit bytes of one object or array in it
 * @throws Refusal naming the remedy
 */
export const readJson = async (
  request: IncomingMessage,
  limit: number,
  nestedLimit = limit,
): Promise<unknown> => {
  const body = await readBody(request, { bytes: limit }, pool);
  if (body.length === 0) {
    return undefined;
  }
  demandJson(request.headers);
  try {
    demandBounded(body, nestedLimit);
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch (error) {
    throw error instanceof Refusal
      ? error
      : new Refusal("invalid_request", "The body must be valid JSON in UTF-8.");
  }
};
