/** Wires people who sign in from Claude Code: their passwords, the device flow, tokens, managed settings. */
import type { DeviceId, UserId } from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { openCredentials } from "./compose-credentials.ts";
import type { Owners } from "./compose-owners.ts";
import { openProvider } from "./compose-provider.ts";
import type { Config } from "./config.ts";
import { createManagedSettingsAdmin } from "./credentials/managed-settings-admin.ts";
import { createPasswordAdmin } from "./credentials/password-admin.ts";
import { createPersonSignIn } from "./credentials/person-sign-in.ts";
import {
  createSignInDevices,
  demandPersons,
  withoutSignIns,
} from "./credentials/sign-in-devices.ts";
import { createSignInLinkAdmin } from "./credentials/sign-in-link-admin.ts";
import { createDeviceFlow } from "./gateway/device-flow.ts";
import { createSignInSecrets, formKey } from "./gateway/sign-in-secrets.ts";
import { createTelemetryRelay } from "./gateway/telemetry-relay.ts";
import { createTokenFlow } from "./gateway/token-flow.ts";
import { createHostCookie } from "./http/gateway/cookies.ts";
import { createFormGuard } from "./http/gateway/csrf.ts";
import { deviceDoor } from "./http/gateway/device-door.ts";
import { oauthDoor } from "./http/gateway/oauth-door.ts";
import { sessionDoor } from "./http/gateway/session-door.ts";
import { room } from "./http/room.ts";
import { addressKey, byAddress } from "./limits/ip-rate-limiter.ts";
import { createMemoryRateLimiter } from "./limits/memory-rate-limiter.ts";
import type { Authenticate, Identify } from "./pipeline/authenticate.ts";
import type { Log } from "./pipeline/log.ts";
import type { UserAdmin } from "./pipeline/owner-admin-ports.ts";
import type { RateLimiter } from "./pipeline/rate-limiter.ts";
import type { RefusalAudit } from "./pipeline/refusal-audit.ts";
import { isSignIn } from "./pipeline/sign-in-ports.ts";
import type { Clock } from "./pipeline/types.ts";
import type { Secrets } from "./secrets.ts";
import type { Store } from "./store/store.ts";

type Options = Readonly<{
  config: Config;
  secrets: Secrets;
  clock: Clock;
  log: Log;
  store: Store;
  owners: Owners;
  credentials: Awaited<ReturnType<typeof openCredentials>>;
}>;

const minuteMs = 60_000;

/** Sign-ins as devices among the others: they count whether or not people may sign in just now. */
export const openSignIns = ({ clock, store, owners, credentials }: Options) => {
  const { index } = owners;
  const isUser = (id: UserId): boolean => index.users.get(id) !== null;
  const devices = createSignInDevices({
    store: store.devices,
    index: credentials.devices,
    owners: index,
    tokens: credentials.tokens,
    clock,
  });
  return {
    devices,
    isUser,
    identify: demandPersons(credentials.identify, isUser),
    enrollment: withoutSignIns(credentials.enrollment),
    passwords: createPasswordAdmin({
      store: store.passwords,
      owners: index,
      endAllOf: devices.endAllOf,
      audit: store.audit,
      clock,
    }),
    links: createSignInLinkAdmin({
      store: store.signInLinks,
      owners: index,
      endAllOf: devices.endAllOf,
      audit: store.audit,
      clock,
    }),
    managedSettings: createManagedSettingsAdmin({
      store: store.managedSettings,
      owners: index,
      audit: store.audit,
      clock,
    }),
    /** A user's sign-ins go with the user. */
    ending: (users: UserAdmin): UserAdmin => ({
      ...users,
      remove: async (id, clientIp) => {
        const removed = await users.remove(id, clientIp);
        await devices.forget(id);
        return removed;
      },
    }),
  };
};

type GatewayOptions = Options &
  Readonly<{
    signIns: ReturnType<typeof openSignIns>;
    authenticate: Authenticate;
    refusals: Pick<RefusalAudit, "record">;
    baseUrl: () => string;
  }>;

export type Gateway = Readonly<{ door: (scope: FastifyInstance) => void; close(): void }>;

/** Null with GATEWAY_SIGNIN=off: then none of its routes is there. */
export const openGateway = (options: GatewayOptions): Gateway | null => {
  const { config, secrets, clock, log, store, signIns, authenticate, refusals, baseUrl } = options;
  if (config.gatewaySignIn === "off") {
    return null;
  }
  const { trustProxy } = config;
  const telemetry = createTelemetryRelay({ url: config.otlpRelayUrl, log, clock });
  const { deviceFlow, tokenFlow } = openFlows(options);
  const common = { deviceFlow, refusals, trustProxy, onFailure: failing(log) };
  const page = {
    ...common,
    persons: config.passwordSignIn === "on" ? openPersons(options) : null,
    provider: openProvider({ ...options, failures: byAddress(limiterOf(clock, 20, 15)) }),
    guard: createFormGuard({ key: formKey(secrets.jwtSecret), baseUrl }),
    travelCookie: createHostCookie({
      ...{ name: "relay-travel", sameSite: "Lax", baseUrl },
      shape: /^[A-Za-z0-9_.-]{1,1024}$/,
    }),
    isUser: signIns.isUser,
    ...{ baseUrl, clock },
  };
  return {
    door: (scope) => {
      void scope.register(room((inner) => oauthDoor(inner, { ...common, tokenFlow, baseUrl })));
      void scope.register(room((inner) => deviceDoor(inner, page)));
      sessionDoor(scope, {
        ...{ authenticate, telemetry, trustProxy },
        managedSettings: store.managedSettings,
        telemetryLimiter: limiterOf(clock, 120, 1),
      });
    },
    close: () => telemetry.close(),
  };
};

const openFlows = ({ config, secrets: { jwtSecret }, clock, store, signIns }: GatewayOptions) => {
  const secrets = createSignInSecrets(jwtSecret);
  const common = { grants: store.deviceGrants, secrets, audit: store.audit, clock };
  return {
    deviceFlow: createDeviceFlow({
      ...common,
      limits: {
        begins: byAddress(limiterOf(clock, 30, 10)),
        wrongCodes: byAddress(limiterOf(clock, 10, 10)),
      },
    }),
    tokenFlow: createTokenFlow({
      ...common,
      refreshTokens: store.refreshTokens,
      devices: signIns.devices,
      stillCounts: async ({ userId, linkId, since }) => {
        if (!signIns.isUser(userId)) {
          return false;
        }
        // A password changed since, or none, and an approval may have been with the one before. One that is set
        // signs the person out everywhere, however they came in.
        const kept = await store.passwords.get(userId);
        const isOlder = kept !== null && kept.changedAt <= since;
        return linkId === null
          ? isOlder
          : (kept === null || isOlder) && (await store.signInLinks.get(linkId))?.userId === userId;
      },
      deviceOf: deviceOf(signIns.identify),
      refreshLifetimeMs: config.gatewaySignInDays * 24 * 60 * minuteMs,
    }),
  };
};

const openPersons = ({ clock, store, signIns }: GatewayOptions) =>
  createPersonSignIn({
    passwords: store.passwords,
    isUser: signIns.isUser,
    limits: {
      byAccountAndPlace: limiterOf(clock, 5, 15),
      byPlace: limiterOf(clock, 20, 15),
      byAccount: limiterOf(clock, 50, 15),
    },
    placeOf: addressKey,
  });

const failing =
  (log: Log) =>
  (requestId: string, error: unknown): void => {
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error({ requestId, error: words }, "The relay failed");
  };

const limiterOf = (clock: Clock, max: number, minutes: number): RateLimiter =>
  createMemoryRateLimiter({
    rate: { max, windowMs: minutes * minuteMs },
    now: clock.monotonicMs,
  });

const deviceOf =
  (identify: Identify) =>
  async (token: string): Promise<DeviceId | null> => {
    const caller = await identify.verify(token).catch(() => null);
    return caller?.kind === "device" && isSignIn(caller.id) ? caller.id : null;
  };
