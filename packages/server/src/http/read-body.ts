import type { IncomingMessage } from "node:http";
import { Refusal } from "../pipeline/refusal.ts";

/**
 * Reads a request body whole. A stated length above the limit is refused before a byte is read,
 * a chunked body as soon as it passes the limit.
 * @throws Refusal `too_large`; `invalid_request` when the caller breaks off
 */
export const readBody = (request: IncomingMessage, limit: number): Promise<Buffer> => {
  const stated = request.headers["content-length"];
  if (stated !== undefined && Number(stated) > limit) {
    return Promise.reject(tooLarge(limit));
  }
  return new Promise((resolve, reject) => {
    let first: Buffer | null = null;
    let more: Buffer[] | null = null;
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > limit) {
        request.off("data", onData);
        request.resume();
        reject(tooLarge(limit));
      } else if (first === null) {
        first = chunk;
      } else if (more === null) {
        more = [first, chunk];
      } else {
        more.push(chunk);
      }
    };
    request.on("data", onData);
    request.on("end", () =>
      resolve(more === null ? (first ?? empty) : Buffer.concat(more, length)),
    );
    request.on("error", () => reject(new Refusal("invalid_request", "The body broke off.")));
    request.on("close", () => {
      if (!request.complete) {
        reject(new Refusal("invalid_request", "The body broke off."));
      }
    });
  });
};

const empty = Buffer.alloc(0);

const tooLarge = (limit: number): Refusal =>
  new Refusal("too_large", `The body is larger than ${limit} bytes (MAX_PAYLOAD_SIZE): send less.`);
