import type { IncomingMessage } from "node:http";
import { Refusal } from "../pipeline/refusal.ts";
import type { BodyPool } from "./body-pool.ts";

/** In bytes, and the setting that moves it, if one does. */
export type BodyLimit = Readonly<{ bytes: number; setting?: string }>;

/**
 * Reads a request body whole. A stated length above the limit is refused before a byte is read,
 * a chunked body as soon as it passes the limit.
 * @throws Refusal `too_large`; `invalid_request` when the caller breaks off
 */
export const readBody = (
  request: IncomingMessage,
  limit: BodyLimit,
  pool: BodyPool,
): Promise<Buffer> => {
  const stated = request.headers["content-length"];
  if (stated === undefined) {
    return readChunked(request, limit);
  }
  const length = Number(stated);
  return length > limit.bytes ? Promise.reject(tooLarge(limit)) : readSized(request, length, pool);
};

/** Copies as it comes, so that what the socket read can be freed at once. */
const readSized = (request: IncomingMessage, length: number, pool: BodyPool): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    let body: Buffer = empty;
    let filled = 0;
    request.on("data", (chunk: Buffer) => {
      if (filled === 0 && chunk.length === length) {
        body = chunk;
      } else {
        if (filled === 0) {
          body = pool.take(length);
        }
        chunk.copy(body, filled);
      }
      filled += chunk.length;
    });
    request.on("end", () => resolve(body));
    rejectWhenBroken(request, reject);
  });

const readChunked = (request: IncomingMessage, limit: BodyLimit): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > limit.bytes) {
        request.off("data", onData);
        // The rest is read and thrown away, so that the caller gets to read the refusal.
        request.resume();
        reject(tooLarge(limit));
      }
    };
    request.on("data", onData);
    request.on("end", () => resolve(Buffer.concat(chunks, length)));
    rejectWhenBroken(request, reject);
  });

const rejectWhenBroken = (request: IncomingMessage, reject: (refusal: Refusal) => void): void => {
  request.on("close", () => {
    if (!request.complete) {
      reject(new Refusal("invalid_request", "The body broke off."));
    }
  });
};

const empty = Buffer.alloc(0);

/** What a body beyond the limit is refused with. */
export const tooLarge = ({ bytes, setting }: BodyLimit): Refusal => {
  const moved = setting === undefined ? "" : ` (${setting})`;
  return new Refusal("too_large", `The body is larger than ${bytes} bytes${moved}: send less.`);
};
