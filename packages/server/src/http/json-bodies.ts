import type { FastifyInstance, FastifyRequest } from "fastify";
import { Refusal } from "../pipeline/refusal.ts";
import { BodyPool } from "./body-pool.ts";
import { demandJson } from "./content-type.ts";
import { readBody } from "./read-body.ts";

/** Bodies of our own routes are small. */
const limit = 64 * 1024;
const pool = new BodyPool();

/** Reads JSON bodies of our own routes: strict about type and coding, and with errors that name the remedy. */
export const readJsonBodies = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (request: FastifyRequest) => parse(request));
};

const parse = async (request: FastifyRequest): Promise<unknown> => {
  const body = await readBody(request.raw, limit, pool);
  if (body.length === 0) {
    return undefined;
  }
  demandJson(request.raw.headers);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw new Refusal("invalid_request", "The body must be valid JSON in UTF-8.");
  }
};
