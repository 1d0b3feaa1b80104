import type { IncomingHttpHeaders } from "node:http";
import {
  AppErrorBody,
  CompleteJson,
  CompleteRequest,
  CompleteText,
  type ModelId,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { messagesBody, type StructuredOutput } from "../../pipeline/complete/messages-body.ts";
import { demandUsableSchema } from "../../pipeline/complete/result.ts";
import { anthropicVersion } from "../../pipeline/forward-headers.ts";
import type { Line } from "../../pipeline/line.ts";
import type { Log } from "../../pipeline/log.ts";
import { resolveModel } from "../../pipeline/model-alias.ts";
import { isModelId } from "../../pipeline/model-pattern.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Clock, Ingress } from "../../pipeline/types.ts";
import { SocketReply } from "../caller-reply.ts";
import { clientIp } from "../client-ip.ts";
import { tooLarge } from "../read-body.ts";
import { readJson } from "../read-json.ts";
import { offerToApps, type Taken } from "./app-door.ts";
import { checkedBody } from "./checked-body.ts";
import { CompleteReply, type Wanted } from "./complete-reply.ts";

export type CompleteDoorDeps = Readonly<{
  /** A line whose upstream is the one chosen for `/v1/complete`. */
  line: Line;
  /** Of that upstream. */
  structured: StructuredOutput;
  /** Whether that upstream's errors are in the relay's own words, and to be told as they stand. */
  ownErrors: boolean;
  defaultModel: string;
  /** Bytes of prompt and system together. */
  maxInputBytes: number;
  clock: Clock;
  log: Log;
  trustProxy: number;
}>;

const docs = {
  tags: ["Apps"],
  security: [{ bearer: [] }, { apiKey: [] }],
  summary: "Complete one prompt",
  description:
    "One prompt in, one text out. With `stream` the answer is server-sent events: `text`, `ping`, and last `done` or `error`.",
  body: CompleteRequest,
  response: {
    200: Type.Union([CompleteText, CompleteJson]),
    "4xx": AppErrorBody,
    "5xx": AppErrorBody,
  },
};

/** `POST /v1/complete`: the same line as every other door, with a simpler request and answer. */
export const completeDoor = (app: FastifyInstance, deps: CompleteDoorDeps): void =>
  offerToApps(app, "/v1/complete", docs, deps, (taken) => walk(deps, taken));

const walk = async (deps: CompleteDoorDeps, { id, raw, res }: Taken): Promise<void> => {
  const { clock, log, ownErrors } = deps;
  const startedMs = clock.monotonicMs();
  let wanted: Wanted | undefined;
  const reply = new CompleteReply(new SocketReply(res), {
    id,
    wanted: () => {
      if (wanted === undefined) {
        throw new Error("upstream answered before the request was read");
      }
      return wanted;
    },
    elapsedMs: () => clock.monotonicMs() - startedMs,
    ownErrors,
    log,
    closeSoon: () => closeSoon(res),
  });
  const ingress: Ingress = {
    id,
    operation: { kind: "complete" },
    headers: headersFor(raw.headers),
    readBody: async () => {
      wanted = await read(raw, deps);
      return messagesBody(wanted.request, wanted.modelId, deps.structured);
    },
    releaseBody: () => undefined,
    clientIp: clientIp(raw, deps.trustProxy),
    startedAt: clock.now(),
  };
  try {
    await deps.line(ingress, reply);
  } catch (error) {
    throw wanted?.request.model === undefined ? ofDefault(error, deps.defaultModel) : error;
  }
};

/** How long the last words of an answer that broke off may take to reach the caller. */
const lastWordsMs = 1000;

const closeSoon = (res: Taken["res"]): void => {
  const timer = setTimeout(() => res.destroy(), lastWordsMs).unref();
  res.once("close", () => clearTimeout(timer));
};

/** Who asked for no model would not know what a model's refusal means. */
const ofDefault = (error: unknown, model: string): unknown =>
  error instanceof Refusal && error.code === "model_denied"
    ? new Refusal(
        error.code,
        `model: no model was named; the default is ${model}. ${error.message}`,
        error.details,
      )
    : error;

/**
 * What goes upstream is ours, whatever the app's own request looked like. The line itself needs the credential,
 * which stays here, and a session to hold its budget.
 */
const headersFor = (own: IncomingHttpHeaders): IncomingHttpHeaders => ({
  ...pick(own, "authorization"),
  ...pick(own, "x-api-key"),
  ...pick(own, "x-claude-code-session-id"),
  accept: "text/event-stream",
  "content-type": "application/json",
  "anthropic-version": anthropicVersion,
});

const pick = (headers: IncomingHttpHeaders, name: string): IncomingHttpHeaders =>
  headers[name] === undefined ? {} : { [name]: headers[name] };

const checked = checkedBody(CompleteRequest);

const read = async (raw: Taken["raw"], deps: CompleteDoorDeps): Promise<Wanted> => {
  const { maxInputBytes } = deps;
  const request = checked(await readWhole(raw, maxInputBytes));
  const { prompt, system = "", json_schema: schema } = request;
  if (prompt.trim() === "") {
    throw new Refusal("invalid_request", "prompt: must not be blank.");
  }
  demandText("prompt", prompt);
  demandText("system", system);
  const size = Buffer.byteLength(prompt) + Buffer.byteLength(system);
  if (size > maxInputBytes) {
    throw new Refusal(
      "too_large",
      `prompt and system together have ${size} bytes; at most ${maxInputBytes} are taken (MAX_INPUT_BYTES).`,
    );
  }
  if (schema !== undefined) {
    demandSmallSchema(schema);
    demandUsableSchema(schema);
  }
  const model = request.model ?? deps.defaultModel;
  return { request, model, modelId: knownModel(resolveModel(model)) };
};

/** A schema goes to the model too. Anthropic takes far smaller ones. */
const maxSchemaBytes = 64 * 1024;

/** However it is indented. */
const schemaRoom = 8 * maxSchemaBytes;

/** JSON may spell one byte in six; a schema has room of its own. */
const readWhole = async (raw: Taken["raw"], maxInputBytes: number): Promise<unknown> => {
  const limit = 6 * maxInputBytes + schemaRoom;
  try {
    return await readJson(raw, limit, schemaRoom);
  } catch (error) {
    if (error instanceof Refusal && error.message === tooLarge({ bytes: limit }).message) {
      throw new Refusal(
        "too_large",
        `The body is larger than ${limit} bytes; prompt and system together may have ${maxInputBytes} (MAX_INPUT_BYTES).`,
      );
    }
    throw error;
  }
};

/** Half a surrogate pair has no UTF-8: upstream would refuse it, or read something else. */
const demandText = (field: string, text: string): void => {
  if (!text.isWellFormed()) {
    throw new Refusal(
      "invalid_request",
      `${field}: holds half a surrogate pair, which is no character. Was it cut in the middle of an emoji?`,
    );
  }
};

const demandSmallSchema = (schema: object): void => {
  const size = Buffer.byteLength(JSON.stringify(schema));
  if (size > maxSchemaBytes) {
    throw new Refusal(
      "too_large",
      `json_schema: has ${size} bytes; at most ${maxSchemaBytes} are taken.`,
    );
  }
};

const knownModel = (id: ModelId): ModelId => {
  if (!isModelId(id)) {
    throw new Refusal(
      "invalid_request",
      "model: must be opus, sonnet, haiku or a full model id such as claude-opus-5-5.",
    );
  }
  return id;
};
