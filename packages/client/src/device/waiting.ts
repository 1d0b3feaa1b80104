import { RelayTimeoutError } from "../errors.ts";
import type { SessionTimers } from "./ports.ts";
import type { TokenOptions } from "./session-options.ts";

/** Waits; the process does not end meanwhile. Rejects with the signal's reason. */
export const waitFor = (
  timers: SessionTimers,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const leave = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = timers.after(
      milliseconds,
      () => {
        signal.removeEventListener("abort", leave);
        resolve();
      },
      true,
    );
    signal.addEventListener("abort", leave, { once: true });
  });

/** Waits for `work` no longer than the options say; `work` itself goes on. */
export const waitInTime = async <Result>(
  timers: SessionTimers,
  work: Promise<Result>,
  { signal, timeoutMs }: TokenOptions,
): Promise<Result> => {
  // Whoever does not wait for it any more is not to be told of its failure as unhandled.
  work.catch(() => undefined);
  const limit = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    limit.signal.addEventListener("abort", () => reject(limit.signal.reason), { once: true });
  });
  const leave = (): void => limit.abort(signal?.reason);
  signal?.addEventListener("abort", leave, { once: true });
  const late = new RelayTimeoutError("There was no token in time.", { type: "timeout_error" });
  const cancel =
    timeoutMs === undefined
      ? () => undefined
      : timers.after(timeoutMs, () => limit.abort(late), true);
  try {
    signal?.throwIfAborted();
    return await Promise.race([work, aborted]);
  } finally {
    cancel();
    signal?.removeEventListener("abort", leave);
  }
};
