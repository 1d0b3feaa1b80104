/** One question of a router to Claude, down the same line as every other door's. */
import type { ModelId, RequestId } from "@claude-relay/contract";
import type { AppFailure } from "../pipeline/complete/app-failure.ts";
import { messagesBody, type StructuredOutput } from "../pipeline/complete/messages-body.ts";
import { answerFault, resultOf } from "../pipeline/complete/result.ts";
import { anthropicVersion } from "../pipeline/forward-headers.ts";
import type { Line } from "../pipeline/line.ts";
import type { Log } from "../pipeline/log.ts";
import { RouterRefusal } from "../pipeline/router-ports.ts";
import { routerRefusalOf, routerRefusalOfFailure } from "../pipeline/router-refusal.ts";
import type { Clock, Ingress, RouterCaller } from "../pipeline/types.ts";
import { CollectedReply } from "./collected-reply.ts";
import type { Question } from "./prompt.ts";

export type QuestionDeps = Readonly<{
  /** The line for a caller whom the gate has let in. */
  lineFor: (caller: RouterCaller) => Line;
  /** Of the line's upstream. */
  structured: StructuredOutput;
  /** Whether that upstream's errors are in the relay's own words, and to be told as they stand. */
  ownErrors: boolean;
  /** As configured: `opus`. */
  model: string;
  modelId: ModelId;
  newRequestId: () => RequestId;
  clock: Clock;
  log: Log;
}>;

/** Whose question it is; `signal` fires when nobody waits for the answer any more. */
export type Asking = Readonly<{ caller: RouterCaller; clientIp: string; signal: AbortSignal }>;

export type Answered = Readonly<{ id: RequestId; value: Readonly<Record<string, unknown>> }>;

/** A command and a few sentences; it is also what a budget holds in the worst case. */
const maxTokens = 2000;

/**
 * Asks, and gives the answer's value, which fits the question's schema.
 * @throws RouterRefusal in the relay's words
 */
export const askClaude = async (
  deps: QuestionDeps,
  { caller, clientIp, signal }: Asking,
  question: Question,
): Promise<Answered> => {
  const { log } = deps;
  const id = deps.newRequestId();
  const reply = new CollectedReply(deps);
  const leave = (): void => reply.leave();
  signal.addEventListener("abort", leave, { once: true });
  try {
    await deps.lineFor(caller)(ingressOf(deps, id, clientIp, question), reply);
  } catch (error) {
    const refusal = routerRefusalOf(error);
    if (refusal.code === "internal") {
      log.error({ requestId: id, error: String(error) }, "The relay failed");
    } else {
      log.info({ requestId: id, router: caller.id, code: refusal.code }, "Request refused");
    }
    throw refusal;
  } finally {
    signal.removeEventListener("abort", leave);
  }
  const { failure, retryAfter, text, stopReason } = reply.collected;
  if (failure !== null) {
    logUnsaid(log, id, failure);
    throw routerRefusalOfFailure(failure, retryAfter);
  }
  if (stopReason === "refusal") {
    throw new RouterRefusal("not_possible", "Claude declined to answer this.");
  }
  if (answerFault(question.schema, text) !== null) {
    log.warn({ requestId: id, stopReason }, "A router's answer did not fit its schema");
    throw new RouterRefusal(
      "not_possible",
      "Claude's answer could not be read as commands. Ask again, for less at once or in other words.",
    );
  }
  return { id, value: resultOf(text) as Answered["value"] };
};

const ingressOf = (
  { structured, modelId, clock }: QuestionDeps,
  id: RequestId,
  clientIp: string,
  { system, prompt, schema }: Question,
): Ingress => ({
  id,
  operation: { kind: "router" },
  headers: {
    accept: "text/event-stream",
    "content-type": "application/json",
    "anthropic-version": anthropicVersion,
  },
  readBody: async () =>
    messagesBody(
      { system, prompt, json_schema: schema, max_tokens: maxTokens },
      modelId,
      structured,
    ),
  releaseBody: () => undefined,
  clientIp,
  startedAt: clock.now(),
});

const logUnsaid = (log: Log, id: RequestId, { status, unsaid }: AppFailure): void => {
  if (unsaid !== undefined) {
    log.warn({ requestId: id, status, upstreamSaid: unsaid }, "Upstream refused");
  }
};
