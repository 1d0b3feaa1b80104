import type { IncomingMessage } from "node:http";
import { Refusal } from "../pipeline/refusal.ts";
import { BodyPool } from "./body-pool.ts";
import { demandJson } from "./content-type.ts";
import { readBody } from "./read-body.ts";

const pool = new BodyPool();

/**
 * Reads a body of our own routes as JSON, strict about type and coding; undefined when there is none.
 * @param limit bytes
 * @throws Refusal naming the remedy
 */
export const readJson = async (request: IncomingMessage, limit: number): Promise<unknown> => {
  const body = await readBody(request, limit, pool);
  if (body.length === 0) {
    return undefined;
  }
  demandJson(request.headers);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw new Refusal("invalid_request", "The body must be valid JSON in UTF-8.");
  }
};
