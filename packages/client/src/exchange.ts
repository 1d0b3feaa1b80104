import { failureOfAnswer, failureOfConnection } from "./failure.ts";
import { type Failure, waitBeforeRetry } from "./retry.ts";
import type { Settings } from "./settings.ts";
import type { Watch } from "./watch.ts";

export type Ask<Answer> = Readonly<{
  method: "GET" | "POST";
  /** Below the relay's address, with its slash. */
  path: string;
  body?: Readonly<Record<string, unknown>>;
  accept: "application/json" | "text/event-stream";
  /** Whether doing it twice costs nothing. */
  repeatable: boolean;
  /** Makes the answer of a response with status 200. */
  read: (response: Response) => Promise<Answer>;
}>;

/**
 * Sends a request until it succeeds or must not be repeated.
 * Throws a RelayError, or the reason of the caller's signal.
 */
export const exchange = async <Answer>(
  settings: Settings,
  ask: Ask<Answer>,
  watch: Watch,
): Promise<Answer> => {
  const rule = { ...settings, repeatable: ask.repeatable || settings.retryMaybeBilled };
  const body = ask.body && JSON.stringify(ask.body);
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await attemptOnce(settings, ask, body, watch);
    if ("answer" in outcome) {
      return outcome.answer;
    }
    const wait = waitBeforeRetry(outcome.failure, attempt, rule);
    // A wait that outlasts the call would only hide what the relay said.
    if (wait === undefined || wait >= watch.left()) {
      throw outcome.failure.error;
    }
    await settings.sleep(wait, watch.signal);
  }
};

type Outcome<Answer> = Readonly<{ answer: Answer }> | Readonly<{ failure: Failure }>;

const attemptOnce = async <Answer>(
  settings: Settings,
  ask: Ask<Answer>,
  body: string | undefined,
  watch: Watch,
): Promise<Outcome<Answer>> => {
  try {
    const response = await settings.fetch(settings.base + ask.path, {
      method: ask.method,
      headers: {
        authorization: `Bearer ${settings.key}`,
        accept: ask.accept,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      // Followed, a redirect could carry the key to another server.
      redirect: "manual",
      signal: watch.signal,
      ...(body !== undefined && { body }),
    });
    if (response.status === 200) {
      return { answer: await ask.read(response) };
    }
    const failure = await failureOfAnswer(response, settings.key);
    watch.signal.throwIfAborted();
    return { failure };
  } catch (thrown) {
    watch.signal.throwIfAborted();
    return { failure: failureOfConnection(thrown, settings.base) };
  }
};
