import type { ModelId } from "@claude-relay/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Line } from "../pipeline/line.ts";
import type { Log } from "../pipeline/log.ts";
import { isModelId } from "../pipeline/model-pattern.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock, ModelsQuery, UpstreamOperation } from "../pipeline/types.ts";
import { BodyPool } from "./body-pool.ts";
import { SocketReply } from "./caller-reply.ts";
import { clientIp } from "./client-ip.ts";
import { demandJson } from "./content-type.ts";
import { asRefusal, writeRefusal } from "./error-reply.ts";
import { messagesRouteDocs } from "./messages-docs.ts";
import { readBody } from "./read-body.ts";
import { newRequestId } from "./request-id.ts";

export type MessagesDoorDeps = Readonly<{
  line: Line;
  clock: Clock;
  log: Log;
  maxPayloadBytes: number;
  trustProxy: number;
}>;

/** Anthropic's own; `complete` and `router` are ours. */
type MessagesOperation = Exclude<UpstreamOperation, { kind: "complete" | "router" }>;

/**
 * Anthropic's API: `/v1/messages`, `/v1/messages/count_tokens`, `/v1/models`.
 *
 * The request is taken over in the first hook: the line reads the body itself, when it wants it, and
 * writes to the socket itself. Fastify's own reading of the body costs an async resource a request.
 */
export const messagesDoor = (app: FastifyInstance, deps: MessagesDoorDeps): void => {
  const offer = (
    method: "GET" | "POST",
    url: string,
    kind: MessagesOperation["kind"],
    operationOf: (request: FastifyRequest) => MessagesOperation,
  ): void => {
    app.route({
      method,
      url,
      exposeHeadRoute: false,
      schema: messagesRouteDocs[kind],
      onRequest: (request, reply) => {
        reply.hijack();
        void walk(deps, request, reply, operationOf);
      },
      handler: takenOver,
    });
  };

  offer("POST", "/v1/messages", "messages", ({ raw }) => ({
    kind: "messages",
    beta: isBeta(raw.url),
  }));
  offer("POST", "/v1/messages/count_tokens", "count_tokens", ({ raw }) => ({
    kind: "count_tokens",
    beta: isBeta(raw.url),
  }));
  offer("GET", "/v1/models", "list_models", ({ query }) => ({
    kind: "list_models",
    query: modelsQuery(query),
  }));
  offer("GET", "/v1/models/:model", "get_model", ({ params }) => ({
    kind: "get_model",
    model: modelParam(params),
  }));
};

const takenOver = (): never => {
  throw new Error("the hook before this handler takes every request over");
};

const walk = async (
  deps: MessagesDoorDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  operationOf: (request: FastifyRequest) => MessagesOperation,
): Promise<void> => {
  const { raw } = request;
  const res = reply.raw;
  const startedAt = deps.clock.now();
  const id = newRequestId(startedAt);
  try {
    const operation = operationOf(request);
    await deps.line(
      {
        id,
        operation,
        headers: raw.headers,
        readBody: () => bodyOf(raw, operation, deps.maxPayloadBytes),
        releaseBody,
        clientIp: clientIp(raw, deps.trustProxy),
        startedAt,
      },
      new SocketReply(res),
    );
  } catch (error) {
    const refusal = asRefusal(error);
    if (refusal.code === "internal") {
      deps.log.error({ requestId: id, error: String(error) }, "The relay failed");
    } else {
      deps.log.info(
        { requestId: id, code: refusal.code, path: raw.url?.split("?")[0] },
        "Request refused",
      );
    }
    writeRefusal(res, refusal, id);
  }
};

const pool = new BodyPool();
const releaseBody = (body: Buffer): void => pool.giveBack(body);

const bodyOf = async (
  raw: FastifyRequest["raw"],
  operation: MessagesOperation,
  limit: number,
): Promise<Buffer | null> => {
  if (operation.kind === "list_models" || operation.kind === "get_model") {
    return null;
  }
  demandJson(raw.headers);
  return readBody(raw, { bytes: limit, setting: "MAX_PAYLOAD_SIZE" }, pool);
};

const isBeta = (url: string | undefined): boolean =>
  url !== undefined && /^[^?]*\?(?:.*&)?beta=true(?:&|$)/.test(url);

const modelsQuery = (query: unknown): ModelsQuery => {
  const { limit, after_id, before_id } = query as Readonly<Record<string, unknown>>;
  if (limit !== undefined && !(typeof limit === "string" && /^\d{1,4}$/.test(limit))) {
    throw new Refusal("invalid_request", "limit must be a whole number from 1 to 1000.");
  }
  return {
    ...(limit !== undefined && { limit: Number(limit) }),
    ...(after_id !== undefined && { after_id: modelId("after_id", after_id) }),
    ...(before_id !== undefined && { before_id: modelId("before_id", before_id) }),
  };
};

const modelParam = (params: unknown): ModelId =>
  modelId("model", (params as Readonly<Record<string, unknown>>)["model"]);

const modelId = (field: string, value: unknown): ModelId => {
  if (typeof value !== "string" || !isModelId(value)) {
    throw new Refusal(
      "invalid_request",
      `${field} must be a model id such as claude-sonnet-4-5-20250929.`,
    );
  }
  return value;
};
