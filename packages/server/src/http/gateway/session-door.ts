/** What a signed-in client asks besides messages: its managed settings, and where its telemetry goes. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Authenticate } from "../../pipeline/authenticate.ts";
import { callerKey } from "../../pipeline/caller-key.ts";
import type { TelemetryRelay, TelemetrySignal } from "../../pipeline/gateway-ports.ts";
import type { RateLimiter } from "../../pipeline/rate-limiter.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { type ManagedSettingsStore, managedScopesOf } from "../../pipeline/sign-in-ports.ts";
import type { Caller } from "../../pipeline/types.ts";
import { BodyPool } from "../body-pool.ts";
import { clientIp } from "../client-ip.ts";
import { readBody } from "../read-body.ts";

export type SessionDoorDeps = Readonly<{
  authenticate: Authenticate;
  managedSettings: Pick<ManagedSettingsStore, "first">;
  telemetry: TelemetryRelay;
  /** Batches of telemetry by caller; more are dropped. */
  telemetryLimiter: RateLimiter;
  trustProxy: number;
}>;

export const sessionDoor = (app: FastifyInstance, deps: SessionDoorDeps): void => {
  const callerOf = async (request: FastifyRequest): Promise<Caller> =>
    deps.authenticate(request.headers, clientIp(request.raw, deps.trustProxy));
  const hidden = { schema: { hide: true } } as const;

  app.get("/managed/settings", hidden, async (request, reply) => {
    const caller = await callerOf(request);
    return sendSettings(deps, caller, request, reply);
  });

  app.get("/user/bootstrap", hidden, async (request) => {
    await callerOf(request);
    throw new Refusal("not_found", "This relay has no settings for Claude Desktop.");
  });

  for (const signal of ["metrics", "logs", "traces"] as const) {
    app.post(`/v1/${signal}`, hidden, async (request, reply) => {
      const caller = await callerOf(request);
      return takeTelemetry(deps, caller, signal, request, reply);
    });
  }
};

const sendSettings = async (
  { managedSettings }: SessionDoorDeps,
  caller: Caller,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const found = await managedSettings.first(managedScopesOf(caller));
  if (found === null) {
    throw new Refusal("not_found", "No managed settings are set for you.");
  }
  const { uuid, checksum, settings } = found;
  const tag = `"${checksum}"`;
  reply.header("etag", tag).header("cache-control", "private, no-cache");
  if (isKnown(request.headers["if-none-match"], tag)) {
    return reply.code(304).send();
  }
  return reply
    .header("content-type", "application/json")
    .serializer(JSON.stringify)
    .send({ uuid, checksum, settings });
};

/** RFC 9110 §13.1.2; a client that leaves the quotes out is understood. */
const isKnown = (header: string | undefined, tag: string): boolean =>
  (header ?? "")
    .split(",")
    .map((part) => part.trim().replace(/^W\//, ""))
    .some((part) => part === "*" || part === tag || `"${part}"` === tag);

/** In bytes. A client's batch is a hundredth of it. */
const mostTelemetry = 4 * 1024 * 1024;
const pool = new BodyPool();

/** A client's telemetry is never a reason to refuse it: what cannot be taken is dropped. */
const takeTelemetry = async (
  deps: SessionDoorDeps,
  caller: Caller,
  signal: TelemetrySignal,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const contentType = request.headers["content-type"] ?? "application/x-protobuf";
  const isDue = deps.telemetryLimiter.take(callerKey(caller)).allowed;
  const body = await readBody(request.raw, { bytes: mostTelemetry }, pool).catch(() => null);
  if (isDue && body !== null && body.length > 0) {
    const contentEncoding = request.headers["content-encoding"] ?? null;
    deps.telemetry.take(signal, { contentType, contentEncoding }, body);
  }
  // OTLP's success in the sender's own coding: an empty message, or an empty object.
  return /^application\/json\b/i.test(contentType)
    ? reply.header("content-type", "application/json").serializer(JSON.stringify).send({})
    : reply.header("content-type", "application/x-protobuf").send(Buffer.alloc(0));
};
