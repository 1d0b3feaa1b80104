/** Discovery (RFC 8414), device authorization (RFC 8628), tokens (RFC 6749) and sign-out (RFC 7009). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type DeviceFlow, OAuthFault, type TokenFlow } from "../../pipeline/gateway-ports.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { RefusalAudit } from "../../pipeline/refusal-audit.ts";
import { clientIp } from "../client-ip.ts";
import { asRefusal } from "../error-reply.ts";
import { type Form, readForm } from "./form-body.ts";

export type OAuthDoorDeps = Readonly<{
  deviceFlow: DeviceFlow;
  tokenFlow: TokenFlow;
  /** The address clients use, without a slash at its end. */
  baseUrl: () => string;
  refusals: Pick<RefusalAudit, "record">;
  trustProxy: number;
  /** Told of what is no fault of the client's. */
  onFailure: (requestId: string, error: unknown) => void;
}>;

const deviceGrantType = "urn:ietf:params:oauth:grant-type:device_code";

export const oauthDoor = (app: FastifyInstance, deps: OAuthDoorDeps): void => {
  answerOAuthErrors(app, deps);
  offerDiscovery(app, deps);
  offerDeviceAuthorization(app, deps);
  offerTokens(app, deps);
};

const hidden = { schema: { hide: true } } as const;

const offerDiscovery = (app: FastifyInstance, { baseUrl }: OAuthDoorDeps): void => {
  app.get("/.well-known/oauth-authorization-server", hidden, (_request, reply) =>
    sendJson(reply, 200, {
      issuer: baseUrl(),
      device_authorization_endpoint: `${baseUrl()}/oauth/device_authorization`,
      token_endpoint: `${baseUrl()}/oauth/token`,
      revocation_endpoint: `${baseUrl()}/oauth/revoke`,
      grant_types_supported: [deviceGrantType, "refresh_token"],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ["none"],
      revocation_endpoint_auth_methods_supported: ["none"],
      scopes_supported: [],
      gateway_protocol_version: 1,
    }),
  );
};

const offerDeviceAuthorization = (app: FastifyInstance, deps: OAuthDoorDeps): void => {
  app.post("/oauth/device_authorization", hidden, async (request, reply) => {
    await readForm(request.raw);
    const grant = await deps.deviceFlow.begin({
      clientIp: ipOf(request, deps),
      userAgent: request.headers["user-agent"] ?? "",
    });
    const page = `${deps.baseUrl()}/device`;
    return sendJson(reply, 200, {
      device_code: grant.deviceCode,
      user_code: grant.userCode,
      verification_uri: page,
      verification_uri_complete: `${page}?user_code=${grant.userCode}`,
      expires_in: grant.expiresInSeconds,
      interval: grant.intervalSeconds,
    });
  });
};

const offerTokens = (app: FastifyInstance, deps: OAuthDoorDeps): void => {
  app.post("/oauth/token", hidden, async (request, reply) => {
    const form = await readForm(request.raw);
    const granted = await grantFor(form, deps.tokenFlow, ipOf(request, deps));
    return sendJson(reply, 200, {
      access_token: granted.accessToken,
      token_type: "Bearer",
      expires_in: granted.expiresInSeconds,
      refresh_token: granted.refreshToken,
    });
  });

  app.post("/oauth/revoke", hidden, async (request, reply) => {
    const form = await readForm(request.raw);
    await deps.tokenFlow.revoke(fieldOf(form, "token"), ipOf(request, deps));
    return sendJson(reply, 200, {});
  });
};

const grantFor = (form: Form, flow: TokenFlow, ip: string) => {
  const type = fieldOf(form, "grant_type");
  switch (type) {
    case deviceGrantType:
      return flow.exchange(fieldOf(form, "device_code"), ip);
    case "refresh_token":
      return flow.refresh(fieldOf(form, "refresh_token"), ip);
    default:
      throw new OAuthFault(
        "unsupported_grant_type",
        `grant_type must be ${deviceGrantType} or refresh_token.`,
      );
  }
};

const fieldOf = (form: Form, name: string): string => {
  const value = form.get(name);
  if (value === undefined || value === "") {
    throw new OAuthFault("invalid_request", `${name} is required.`);
  }
  return value;
};

/** OAuth's own shape on OAuth's routes. */
const answerOAuthErrors = (app: FastifyInstance, deps: OAuthDoorDeps): void => {
  app.setErrorHandler((error, request, reply) => {
    const fault = faultOf(error);
    if (fault.status >= 500 && !(error instanceof OAuthFault)) {
      deps.onFailure(request.id, error);
    }
    if (fault.error === "invalid_grant" || fault.status === 429) {
      deps.refusals.record({
        actor: "unknown",
        action: "sign_in.refuse",
        subject: null,
        refusal: new Refusal(
          fault.status === 429 ? "rate_limited" : "credential_invalid",
          fault.message,
        ),
        clientIp: ipOf(request, deps),
      });
    }
    if (fault.retryAfterSeconds !== null) {
      reply.header("retry-after", String(fault.retryAfterSeconds));
    }
    reply.header("request-id", request.id);
    return sendJson(reply, fault.status, { error: fault.error, error_description: fault.message });
  });
};

const faultOf = (error: unknown): OAuthFault => {
  if (error instanceof OAuthFault) {
    return error;
  }
  const refusal = asRefusal(error);
  switch (refusal.code) {
    case "invalid_request":
    case "unsupported_media_type":
      return new OAuthFault("invalid_request", refusal.message);
    case "too_large":
      return new OAuthFault("invalid_request", "The form is too large.", 413);
    default:
      return new OAuthFault("temporarily_unavailable", refusal.message, 503, 5);
  }
};

/** RFC 6749 §5.1: never kept by anyone on the way. */
const sendJson = (reply: FastifyReply, status: number, body: object): FastifyReply =>
  reply
    .code(status)
    .header("content-type", "application/json")
    .header("cache-control", "no-store")
    .serializer(JSON.stringify)
    .send(body);

const ipOf = (request: FastifyRequest, { trustProxy }: OAuthDoorDeps): string =>
  clientIp(request.raw, trustProxy);
