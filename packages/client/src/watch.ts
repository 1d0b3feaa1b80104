import { RelayTimeoutError } from "./errors.ts";

/**
 * What ends a call early: the caller's signal, or a clock that ran out. `signal` aborts with the caller's
 * reason or a RelayTimeoutError. `end` must be called once the call is over.
 */
export type Watch = Readonly<{
  signal: AbortSignal;
  /** Starts the clock anew; when it runs out the call ends with these words. */
  allow(milliseconds: number, words: string): void;
  /** Stops the clock. */
  rest(): void;
  /** Milliseconds until the clock runs out. */
  left(): number;
  /** Ends the call, if it still runs, and lets go of the caller's signal. */
  end(): void;
}>;

/** Throws the caller's reason when the signal has been aborted already. */
export const startWatch = (callersSignal?: AbortSignal): Watch => {
  callersSignal?.throwIfAborted();
  const controller = new AbortController();
  const leave = (): void => controller.abort(callersSignal?.reason);
  callersSignal?.addEventListener("abort", leave, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let until = Number.POSITIVE_INFINITY;
  const rest = (): void => {
    clearTimeout(timer);
    until = Number.POSITIVE_INFINITY;
  };
  return {
    signal: controller.signal,
    allow: (milliseconds, words) => {
      rest();
      until = performance.now() + milliseconds;
      timer = setTimeout(
        () => controller.abort(new RelayTimeoutError(words, { type: "timeout_error" })),
        milliseconds,
      );
    },
    rest,
    left: () => until - performance.now(),
    end: () => {
      rest();
      callersSignal?.removeEventListener("abort", leave);
      controller.abort();
    },
  };
};

/** Waits; rejects with the signal's reason as soon as it aborts. */
export const sleepFor = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const wake = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", wake);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", wake, { once: true });
  });
