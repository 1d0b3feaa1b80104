import { chunksOf, largestAnswerBytes } from "./answer-body.ts";
import { type CompleteOptions, completePath, completionBody } from "./completion.ts";
import { type FinalAnswer, readCompletion, requireEventStream } from "./completion-events.ts";
import { RelayError } from "./errors.ts";
import { exchange } from "./exchange.ts";
import { failureOfConnection } from "./failure.ts";
import { milliseconds, type Settings } from "./settings.ts";
import { startWatch, type Watch } from "./watch.ts";

/**
 * An answer while it is written: loop over it for its pieces, or await `final()` for all of it. The first
 * of the two sends the request. Leaving the loop ends it, so that nothing more is paid for.
 */
export type CompletionStream = AsyncIterable<string> &
  Readonly<{
    /**
     * The whole text and what it took. Beside a loop it resolves when the loop is through; without one
     * it reads the stream itself. Rejects when the stream fails or the loop was left early.
     */
    final(): Promise<FinalAnswer>;
  }>;

/** Nothing is sent until the stream is read. It is never sent again once the answer has begun. */
export const openCompletionStream = (
  settings: Settings,
  options: CompleteOptions,
): CompletionStream => {
  let begun = false;
  let finish: (answer: FinalAnswer) => void = () => undefined;
  let fail: (reason: unknown) => void = () => undefined;
  const ended = new Promise<FinalAnswer>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  // The loop throws what went wrong; that nobody also asked for final() is no unhandled rejection.
  ended.catch(() => undefined);

  async function* pieces(): AsyncGenerator<string, void> {
    if (begun) {
      throw new TypeError("A completion stream can be read only once.");
    }
    begun = true;
    try {
      finish(yield* readOnce(settings, options));
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      const words = "The stream was left before its end.";
      fail(new RelayError(words, { type: "stream_left" }));
    }
  }

  return {
    [Symbol.asyncIterator]: pieces,
    final: async () => {
      if (!begun) {
        for await (const _ of pieces()) {
          // Only the end is wanted.
        }
      }
      return ended;
    },
  };
};

async function* readOnce(
  settings: Settings,
  options: CompleteOptions,
): AsyncGenerator<string, FinalAnswer> {
  const limit = milliseconds("timeoutMs", options.timeoutMs ?? settings.timeoutMs);
  const watch = startWatch(options.signal);
  try {
    watch.allow(limit, `The relay did not begin to answer within ${limit} ms.`);
    const ask = {
      method: "POST",
      path: completePath,
      body: { ...completionBody(options), stream: true },
      accept: "text/event-stream",
      repeatable: false,
      read: requireEventStream,
    } as const;
    const response = await exchange(settings, ask, watch);
    const chunks = chunksInTime(response, watch, settings.idleTimeoutMs);
    return yield* readCompletion(chunks, settings.key);
  } catch (thrown) {
    watch.signal.throwIfAborted();
    throw failureOfConnection(thrown, settings.base).error;
  } finally {
    watch.end();
  }
}

/** The chunks of a body, none later than `limit` milliseconds after it was asked for. */
async function* chunksInTime(
  response: Response,
  watch: Watch,
  limit: number,
): AsyncGenerator<Uint8Array> {
  const chunks = chunksOf(response, largestAnswerBytes);
  try {
    for (;;) {
      watch.allow(limit, `The stream was silent for ${limit} ms.`);
      const { done, value } = await chunks.next();
      // How long the reader takes over a piece is its own affair.
      watch.rest();
      if (done) {
        return;
      }
      yield value;
    }
  } finally {
    await chunks.return(undefined);
  }
}
