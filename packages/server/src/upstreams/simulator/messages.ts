import { type Answer, answerTo } from "./answer.ts";
import { ApiError, invalid } from "./api-error.ts";
import { checkVersionRules } from "./api-version.ts";
import { eventsOf } from "./events.ts";
import { type Exchange, type Surroundings, scenarioHeader, sendJson } from "./exchange.ts";
import { applyPlan } from "./faults.ts";
import { type Message, messageJson } from "./message.ts";
import { closed, play } from "./play.ts";
import { commonHeaders } from "./reply-headers.ts";
import { type Plan, planOf } from "./scenario.ts";
import { scenarioTextOf } from "./scenario-name.ts";
import { jsonSteps, type Step, streamSteps } from "./steps.ts";
import { countInputTokens } from "./tokens.ts";
import { finalUsage } from "./usage.ts";
import { type BodyKind, checkBody, parseBody } from "./validate.ts";

/** `POST /v1/messages`. https://docs.anthropic.com/en/api/messages */
export const createMessage = async (
  exchange: Exchange,
  surroundings: Surroundings,
): Promise<void> => {
  const { body, model, plan } = await accept(exchange, "messages", surroundings);
  const input = surroundings.cache.account(body, exchange.key);
  const total =
    input.input_tokens + input.cache_read_input_tokens + input.cache_creation_input_tokens;
  if (total > model.maxInputTokens) {
    throw invalid(`prompt is too long: ${total} tokens > ${model.maxInputTokens} maximum`);
  }
  const answer = answerTo(body, plan, surroundings.nextId);
  const usage = finalUsage(body, input, answer, plan);
  const message = { id: surroundings.nextId("msg"), model: model.id, answer, usage };
  // What is read from the cache does not count.
  const counted = input.input_tokens + input.cache_creation_input_tokens;
  const limits = {
    ...surroundings.rateLimitHeaders(counted, usage.output_tokens),
    ...surroundings.rateLimits?.(model.id, counted, usage.output_tokens),
  };
  await (body.stream === true ? sendStream : sendMessage)(message, plan, exchange, limits);
};

/** `POST /v1/messages/count_tokens`. https://docs.anthropic.com/en/api/messages-count-tokens */
export const countTokens = async (
  exchange: Exchange,
  surroundings: Surroundings,
): Promise<void> => {
  const { body } = await accept(exchange, "count_tokens", surroundings);
  sendJson(exchange, JSON.stringify({ input_tokens: countInputTokens(body) }));
};

/** Reads the body and does what its scenario asks first, so that a planned failure needs no valid body. */
const accept = async (exchange: Exchange, kind: BodyKind, surroundings: Surroundings) => {
  const fields = parseBody(exchange.body);
  const name = typeof fields["model"] === "string" ? fields["model"] : null;
  const plan = planOf(scenarioTextOf(scenarioHeader(exchange), name), surroundings.seen);
  await applyPlan(plan, exchange, surroundings);
  const checked = checkBody(fields, kind);
  checkVersionRules(checked.body, exchange.version);
  return { ...checked, plan };
};

type Headers = Readonly<Record<string, string>>;

const sendStream = async (
  message: Message,
  plan: Plan,
  exchange: Exchange,
  limits: Headers,
): Promise<void> => {
  const { response, requestId, sighting } = exchange;
  const compress = plan.gzip && acceptsGzip(exchange);
  response.writeHead(200, {
    ...commonHeaders(requestId),
    ...limits,
    ...optionalHeaders(plan, compress),
    "content-type": "text/event-stream; charset=utf-8",
  });
  sighting.streaming();
  const steps = streamSteps(eventsOf(message, plan), plan, requestId);
  await playBilled(steps, message, exchange, compress);
};

const sendMessage = async (
  message: Message,
  plan: Plan,
  exchange: Exchange,
  limits: Headers,
): Promise<void> => {
  const { response, requestId, sighting } = exchange;
  if (plan.errorAfterEvents !== null) {
    throw new ApiError(529, "Overloaded");
  }
  if (plan.stallAfterEvents !== null) {
    sighting.billed(message.model, message.usage, false);
    await closed(response);
    return;
  }
  const compress = plan.gzip && acceptsGzip(exchange);
  const pieces = messageJson(message);
  const headers = { ...limits, ...optionalHeaders(plan, compress) };
  if (isPlain(message.answer, plan)) {
    sighting.billed(message.model, message.usage, true);
    sendJson(exchange, [...pieces].join(""), headers);
    return;
  }
  response.writeHead(200, {
    ...commonHeaders(requestId),
    ...headers,
    "content-type": "application/json",
  });
  const steps = jsonSteps(pieces, plan, message.usage.output_tokens);
  await playBilled(steps, message, exchange, compress);
};

/** Plays an answer and keeps its bill: while it runs, of what has been said so far. */
const playBilled = async (
  steps: Iterable<Step>,
  { model, usage }: Message,
  { response, sighting }: Exchange,
  compress: boolean,
): Promise<void> => {
  let saidTokens = 0;
  let broken = false;
  const bill = (complete: boolean): void =>
    sighting.billed(model, complete ? usage : { ...usage, output_tokens: saidTokens }, complete);
  response.once("close", () => bill(response.writableFinished && !broken));
  await play(steps, response, compress, (step) => {
    if (step.do === "send") {
      saidTokens = step.outputTokens;
    } else if (step.do === "cut" || step.do === "fail") {
      broken = true;
      sighting.breaking();
    }
  });
};

/** Nothing to pace, cut or compress: the quick way out. */
const isPlain = ({ blocks }: Answer, plan: Plan): boolean =>
  !plan.gzip &&
  plan.cut === null &&
  plan.pauseMs + plan.thinkingSilenceMs === 0 &&
  !blocks.some(({ type }) => type === "long_text");

const acceptsGzip = ({ request }: Exchange): boolean =>
  /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));

const optionalHeaders = (plan: Plan, compress: boolean): Headers => ({
  ...(compress ? { "content-encoding": "gzip", vary: "accept-encoding" } : {}),
  ...(plan.setCookie ? { "set-cookie": "_cfuvid=simulator; path=/; HttpOnly" } : {}),
});
