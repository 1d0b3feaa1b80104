import { largestAnswerBytes, textOfBody } from "./answer-body.ts";
import { UnexpectedAnswerError } from "./errors.ts";
import { type Ask, exchange } from "./exchange.ts";
import { notAnAnswer, parseObject } from "./failure.ts";
import { milliseconds, type Settings } from "./settings.ts";
import { startWatch } from "./watch.ts";

export type CallOptions = Readonly<{
  /** Ends the call; its reason is thrown. */
  signal?: AbortSignal | undefined;
  /** In place of the client's. */
  timeoutMs?: number | undefined;
}>;

type JsonObject = Readonly<Record<string, unknown>>;

/** A call whose answer is one JSON object, `parse`d; undefined from `parse` means that it is not a relay's. */
export const askForJson = async <Answer>(
  settings: Settings,
  ask: Omit<Ask<Answer>, "accept" | "read">,
  parse: (answer: JsonObject) => Answer | undefined,
  { signal, timeoutMs = settings.timeoutMs }: CallOptions,
): Promise<Answer> => {
  const limit = milliseconds("timeoutMs", timeoutMs);
  const watch = startWatch(signal);
  watch.allow(limit, `The relay did not answer within ${limit} ms.`);
  const read = async (response: Response): Promise<Answer> => {
    const body = parseObject(await textOfBody(response, largestAnswerBytes));
    const answer = body && parse(body);
    if (answer === undefined) {
      throw new UnexpectedAnswerError(notAnAnswer(response), { status: response.status });
    }
    return answer;
  };
  try {
    return await exchange(settings, { ...ask, accept: "application/json", read }, watch);
  } finally {
    watch.end();
  }
};
