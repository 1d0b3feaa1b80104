import type { IncomingMessage } from "node:http";
import { ApiError } from "./api-error.ts";

/** Anthropic's limit for a Messages request. */
const mostBytes = 32 * 1024 * 1024;

/**
 * A request's whole body, byte for byte.
 * @throws ApiError 413 over 32 MiB; rejects when the client breaks off
 */
export const readBytes = (request: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= mostBytes) {
        chunks.push(chunk);
      } else {
        // The rest is read and dropped, so that the client gets to see the answer.
        chunks.length = 0;
        reject(new ApiError(413, "Request exceeds the maximum size", { connection: "close" }));
      }
    });
    request.once("end", () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    });
    request.once("error", reject);
  });
