import { pipeline, type Readable } from "node:stream";
import { unreachable } from "../faults.ts";
import { decoderOf } from "./content-encoding.ts";

/** A page's decoded bytes in memory of their own, which can be handed to a worker thread. */
export type BodyRead = Readonly<{ bytes: Uint8Array<ArrayBuffer>; truncated: boolean }>;

/**
 * Reads a body, its encoding taken off, up to `cap` decoded bytes: a bomb costs no more than a page.
 * @throws Refusal, or the stream's error
 */
export const readBody = async (
  body: Readable,
  encoding: string | null,
  cap: number,
): Promise<BodyRead> => {
  const wire = encodedChunks(body, cap);
  const first = await wire.next();
  if (first.done) {
    return { bytes: new Uint8Array(0), truncated: false };
  }
  const decoder = decoderOf(encoding, first.value[0] ?? 0);
  const source = startingWith(first.value, wire);
  return collect(decoder === null ? source : pipeline(source, decoder, () => {}), cap);
};

/**
 * A stream can also be endless and decode to nothing, so encoded bytes have a cap of their own; twice the
 * decoded one, as no honest encoding makes a page larger.
 */
async function* encodedChunks(body: Readable, cap: number): AsyncGenerator<Buffer> {
  let total = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > 2 * cap) {
      throw unreachable("the page's body is longer than what it decodes to.");
    }
    yield chunk;
  }
}

async function* startingWith(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

const collect = async (source: AsyncIterable<Buffer>, cap: number): Promise<BodyRead> => {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    total += chunk.length;
    if (total > cap) {
      break;
    }
  }
  const bytes = new Uint8Array(Math.min(total, cap));
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, bytes.length - at);
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, truncated: total > cap };
};
