import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { createGzip, constants as zlib } from "node:zlib";
import type { Cut } from "./scenario.ts";
import type { Step } from "./steps.ts";

/**
 * Plays steps to a client, never faster than it reads, and stops when it has gone.
 * @param response with its head written
 * @param compress gzip the body, each step flushed
 * @param onStep told each step as it is taken
 */
export const play = async (
  steps: Iterable<Step>,
  response: ServerResponse,
  compress: boolean,
  onStep: (step: Step) => void,
): Promise<void> => {
  const body = compress ? gzipTo(response) : response;
  for (const step of steps) {
    if (response.destroyed) {
      return;
    }
    onStep(step);
    if (step.do === "cut") {
      await breakOff(step.how, step.bytes, response);
      return;
    }
    const delay = perform(step, body, response);
    if (delay !== null) {
      await delay;
    }
  }
  body.end();
};

const perform = (
  step: Exclude<Step, { do: "cut" }>,
  body: Writable,
  response: ServerResponse,
): Promise<void> | null => {
  switch (step.do) {
    case "send":
      return body.write(step.bytes) ? null : drained(body, response);
    case "fail":
      body.write(step.bytes);
      return null;
    case "wait":
      response.flushHeaders();
      return pause(step.ms, response);
    case "stall":
      response.flushHeaders();
      return closed(response);
  }
};

/** Ends an answer as a broken server would. The bytes before it do reach the client. */
const breakOff = async (
  how: Cut["how"],
  bytes: Buffer,
  response: ServerResponse,
): Promise<void> => {
  response.flushHeaders();
  await new Promise<void>((resolve) => {
    if (bytes.length > 0) {
      response.write(bytes, () => resolve());
    } else {
      // Node gathers the writes of one turn and sends them after it.
      setImmediate(resolve);
    }
  });
  switch (how) {
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "close":
      response.socket?.destroySoon();
      return;
    case "end":
      response.end();
  }
};

/** Resolves after so many milliseconds, or when the client has gone; 0 is one turn of the event loop. */
export const pause = (ms: number, response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    if (response.destroyed) {
      resolve();
      return;
    }
    if (ms === 0) {
      setImmediate(resolve);
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      response.off("close", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    response.on("close", done);
  });

const drained = (body: Writable, response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      body.off("drain", done);
      response.off("close", done);
      resolve();
    };
    body.on("drain", done);
    response.on("close", done);
  });

/** Resolves when the connection is gone. */
export const closed = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    if (response.destroyed) {
      resolve();
    } else {
      response.once("close", resolve);
    }
  });

const gzipTo = (response: ServerResponse): Writable => {
  const gzip = createGzip({ flush: zlib.Z_SYNC_FLUSH });
  gzip.pipe(response);
  // Closing the compressor is not left to pipe: it does not see a client that goes.
  response.once("close", () => gzip.destroy());
  return gzip;
};
