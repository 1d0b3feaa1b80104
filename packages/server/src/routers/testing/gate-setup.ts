/** A gate with everything around it under the test's hand, and the router's side of the wire. */
import { createHash } from "node:crypto";
import { epochMs, type RouterMac } from "@claude-relay/contract";
import type { Log } from "../../pipeline/log.ts";
import type { RateLimiter } from "../../pipeline/rate-limiter.ts";
import { type RouterGate, RouterRefusal, type RouterRequest } from "../../pipeline/router-ports.ts";
import { createRouterGate } from "../gate.ts";
import type { GateOptions } from "../gate-parts.ts";
import { createMemoryRegistry, type MemoryRegistry } from "./memory-registry.ts";
import { lanIp, type RouterSide, shakeHands, startedAt } from "./router-side.ts";

export type Refused = Readonly<{
  code: string;
  router: string | null;
  ip: string;
  proven?: boolean;
}>;

/** Lets `left` requests through, whoever asks, and notes who did. */
export type CountedLimiter = RateLimiter & { left: number; readonly keys: string[] };

const countedLimiter = (): CountedLimiter => {
  const limiter: CountedLimiter = {
    left: Number.POSITIVE_INFINITY,
    keys: [],
    peek: () => decisionFor(limiter.left > 0),
    take: (key) => {
      limiter.keys.push(key);
      const allowed = limiter.left > 0;
      limiter.left -= allowed ? 1 : 0;
      return decisionFor(allowed);
    },
  };
  return limiter;
};

const decisionFor = (allowed: boolean) => ({
  allowed,
  limit: 1,
  windowMs: 60_000,
  remaining: 0,
  resetMs: 0,
  retryAfterMs: allowed ? 0 : 2500,
});

type Options = Partial<Pick<GateOptions, "legacy" | "isLoopbackListener">> &
  Readonly<{ sharedSecret?: string }>;

export type GateSetup = Readonly<{
  gate: RouterGate;
  registry: MemoryRegistry;
  clock: { ms: number; monotonic: number; pass(ms: number): void };
  limits: Record<"challenges" | "failures" | "addresses" | "routers", CountedLimiter>;
  refusals: Refused[];
  /** Every log line as JSON. */
  logged: string[];
}>;

export const setupGate = (options: Options = {}): GateSetup => {
  const { sharedSecret, legacy = false, isLoopbackListener = false } = options;
  const registry = createMemoryRegistry(sharedSecret === undefined ? {} : { sharedSecret });
  const clock = {
    ms: startedAt,
    monotonic: 5_000,
    pass: (ms: number) => {
      clock.ms += ms;
      clock.monotonic += ms;
    },
  };
  const limits = {
    challenges: countedLimiter(),
    failures: countedLimiter(),
    addresses: countedLimiter(),
    routers: countedLimiter(),
  };
  const refusals: Refused[] = [];
  const logged: string[] = [];
  let drawn = 0;
  const gate = createRouterGate({
    registry,
    clock: { now: () => epochMs(clock.ms), monotonicMs: () => clock.monotonic },
    randomBytes: (size) => {
      drawn += 1;
      return createHash("sha256").update(`random ${drawn}`).digest().subarray(0, size);
    },
    limits,
    legacy,
    isLoopbackListener,
    version: "1.2.3",
    cloudPort: 8899,
    onRefused: ({ refusal: { code }, router, proven, clientIp: ip }) =>
      refusals.push({ code, router, ip, ...(proven && { proven }) }),
    log: notedLog(logged),
  });
  return { gate, registry, clock, limits, refusals, logged };
};

const notedLog = (lines: string[]): Log => {
  const note = (fields: object, message: string): void => {
    lines.push(JSON.stringify({ ...fields, message }));
  };
  return { debug: note, info: note, warn: note, error: note, isLevelEnabled: () => true };
};

/** The refusal that `action` ends in. */
export const refusalOf = async (action: () => unknown): Promise<RouterRefusal> => {
  try {
    await action();
  } catch (error) {
    if (error instanceof RouterRefusal) {
      return error;
    }
    throw error;
  }
  throw new Error("it was not refused");
};

export const refusedHandshake = (
  setup: GateSetup,
  body: unknown,
  ip = lanIp,
): Promise<RouterRefusal> => refusalOf(() => setup.gate.handshake(body, ip));

export const handshakeCode = async (setup: GateSetup, body: unknown, ip = lanIp) =>
  (await refusedHandshake(setup, body, ip)).code;

/** A gate in which the router `office` has a session. */
export const withSession = async (
  mac: RouterMac = "hmac-sha512",
): Promise<GateSetup & { router: RouterSide; secret: string }> => {
  const setup = setupGate();
  const secret = setup.registry.add("office");
  const router = await shakeHands(setup.gate, secret, { mac });
  return { ...setup, router, secret };
};

export const refusedRequest = (setup: GateSetup, request: RouterRequest): Promise<RouterRefusal> =>
  refusalOf(() => setup.gate.open(request));

export const requestCode = async (setup: GateSetup, request: RouterRequest) =>
  (await refusedRequest(setup, request)).code;
