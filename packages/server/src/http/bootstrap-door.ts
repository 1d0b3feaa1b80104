import {
  BootstrapPending,
  BootstrapRequest,
  type DeviceId,
  ErrorBody,
  RefreshRequest,
  type RefreshRequest as RefreshRequestBody,
  WrapperToken,
  type WrapperToken as WrapperTokenBody,
} from "@claude-relay/contract";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { readCredential } from "../pipeline/credential.ts";
import type { Enrollment, IssuedToken, RefreshProof } from "../pipeline/credential-ports.ts";
import type { RateLimiter } from "../pipeline/rate-limiter.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import { bodyMayBeMissing } from "./body-may-be-missing.ts";
import { clientIp, isFromThisMachine } from "./client-ip.ts";
import { type TypedApp, typedApp } from "./typed-app.ts";

type LimitedAction = "device.bootstrap" | "device.refresh";

export type BootstrapDoorDeps = Readonly<{
  enrollment: Enrollment;
  bootstrapLimiter: RateLimiter;
  refreshLimiter: RateLimiter;
  /** Told of every request that its address's limit turns away, for the audit log. */
  onLimited: (action: LimitedAction, refusal: Refusal, clientIp: string) => void;
  proxyBaseUrl: () => string;
  clock: Pick<Clock, "now">;
  trustProxy: number;
}>;

/** How a device gets its wrapper token, and a new one before it expires. */
export const bootstrapDoor = (server: FastifyInstance, deps: BootstrapDoorDeps): void => {
  const app = typedApp(server);
  offerBootstrap(app, deps);
  offerRefresh(app, deps);
};

const offerBootstrap = (app: TypedApp, deps: BootstrapDoorDeps): void => {
  app.post(
    "/bootstrap",
    {
      schema: {
        tags: ["Devices"],
        summary: "Get a wrapper token",
        body: BootstrapRequest,
        response: { 200: WrapperToken, 202: BootstrapPending, "4xx": ErrorBody },
      },
    },
    async (request, response) => {
      response.header("date", httpDate(deps));
      const ip = limitByIp(deps, "device.bootstrap", request);
      const result = await deps.enrollment.bootstrap({
        deviceId: request.body.device_id as DeviceId,
        appVersion: request.body.app_version ?? null,
        deviceName: request.body.device_name ?? null,
        enrollmentCode: request.body.enrollment_code ?? null,
        publicKey: request.body.device_public_key ?? null,
        clientIp: ip,
        fromThisMachine: isFromThisMachine(request.raw),
      });
      if (result.kind === "issued") {
        return wire(result.token, deps);
      }
      return response.code(202).send({
        status: "pending",
        device_id: result.deviceId,
        message: "Waiting for an admin's approval. Ask again with the same device_id.",
      });
    },
  );
};

const offerRefresh = (app: TypedApp, deps: BootstrapDoorDeps): void => {
  app.post(
    "/refresh",
    {
      schema: {
        tags: ["Devices"],
        summary: "Renew a wrapper token",
        description:
          "The old token keeps working for 60 s; brought here again after that, it ends every token of the device. A device that registered a key signs, and may bring a token that expired at most DEVICE_RENEWAL_DAYS ago.",
        body: RefreshRequest,
        security: [{ bearer: [] }, { apiKey: [] }],
        response: { 200: WrapperToken, "4xx": ErrorBody },
      },
      preValidation: bodyMayBeMissing,
    },
    async (request, response) => {
      response.header("date", httpDate(deps));
      const ip = limitByIp(deps, "device.refresh", request);
      const credential = readCredential(request.headers);
      const token = await deps.enrollment.refresh(credential, {
        proof: proofOf(request.body),
        appVersion: request.body.app_version ?? null,
        clientIp: ip,
      });
      return wire(token, deps);
    },
  );
};

const proofOf = ({ timestamp, nonce, signature }: RefreshRequestBody): RefreshProof | null =>
  timestamp === undefined || nonce === undefined || signature === undefined
    ? null
    : { timestamp, nonce, signature };

const wire = ({ token, expiresAt }: IssuedToken, deps: BootstrapDoorDeps): WrapperTokenBody => ({
  wrapper_token: token,
  proxy_base_url: deps.proxyBaseUrl(),
  expires_at: new Date(expiresAt).toISOString(),
});

/** By the clock that `expires_at` is told by: a device whose own is wrong can tell how long it has. */
const httpDate = ({ clock }: BootstrapDoorDeps): string => new Date(clock.now()).toUTCString();

/** The caller's address. @throws Refusal `rate_limited` */
const limitByIp = (
  deps: BootstrapDoorDeps,
  action: LimitedAction,
  request: FastifyRequest,
): string => {
  const ip = clientIp(request.raw, deps.trustProxy);
  const limiter = action === "device.bootstrap" ? deps.bootstrapLimiter : deps.refreshLimiter;
  const { allowed, retryAfterMs } = limiter.take(ip);
  if (!allowed) {
    const refusal = tooMany(retryAfterMs);
    deps.onLimited(action, refusal, ip);
    throw refusal;
  }
  return ip;
};

const tooMany = (retryAfterMs: number): Refusal =>
  new Refusal("rate_limited", "Too many requests from this address. Please wait.", {
    retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)),
  });
