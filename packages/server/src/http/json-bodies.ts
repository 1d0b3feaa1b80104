import type { FastifyInstance, FastifyRequest } from "fastify";
import { readJson } from "./read-json.ts";

/** Bodies of our own routes are small. In bytes. */
export const ownBodyLimit = 64 * 1024;

/** Reads JSON bodies of our own routes: strict about type and coding, and with errors that name the remedy. */
export const readJsonBodies = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (request: FastifyRequest) => readJson(request.raw, ownBodyLimit));
};
