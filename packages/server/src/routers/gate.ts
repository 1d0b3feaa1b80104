/** Who may come in from a router: handshakes, the sessions they open, and the requests signed with them. */
import type { RouterId } from "@claude-relay/contract";
import {
  type RouterAnswer,
  type RouterGate,
  RouterRefusal,
  type RouterRefusalCode,
} from "../pipeline/router-ports.ts";
import { challengeLifetimeMs, createChallengeBook } from "./challenge-book.ts";
import type { GateOptions, GateParts } from "./gate-parts.ts";
import { acceptHandshake } from "./handshake.ts";
import { readHandshake } from "./handshake-body.ts";
import { isNamedBySecret } from "./handshake-checks.ts";
import { createNonceBook } from "./nonce-book.ts";
import { openRequest, sessionOf } from "./open-request.ts";
import { rateLimited } from "./rate-refusal.ts";
import { createSessionBook } from "./session-book.ts";

/** Everything it remembers is in memory, bounded, and this process's own (docs/adr/0012). */
export const createRouterGate = (options: GateOptions): RouterGate => {
  const { clock, log, randomBytes } = options;
  const parts: GateParts = {
    ...options,
    nonces: createNonceBook({ clock }),
    challenges: createChallengeBook({ clock, randomBytes }),
    sessions: createSessionBook({ clock }),
    decoySecret: randomBytes(32).toString("hex"),
  };

  return {
    challenge: (clientIp) => {
      const room = options.limits.challenges.take(clientIp);
      if (!room.allowed) {
        const refusal = rateLimited(
          "Too many challenges for this address.",
          room.retryAfterMs / 1000,
        );
        throw refused(parts, refusal, { router: null, signs: false, clientIp });
      }
      return challengeAnswer(parts);
    },

    handshake: async (body, clientIp) => {
      const handshake = readHandshake(body);
      const { routerId, kind } = handshake;
      const router = isNamedBySecret(parts, routerId) ? null : routerId;
      try {
        const answer = await acceptHandshake(parts, handshake, clientIp);
        log.info({ router, form: kind, client_ip: clientIp }, "Router handshake accepted");
        return answer;
      } catch (error) {
        throw refused(parts, error, { router, signs: kind !== "unsigned", clientIp });
      }
    },

    open: (request) => {
      const session = sessionOf(parts, request);
      try {
        return openRequest(parts, session, request);
      } catch (error) {
        const { routerId: router, signed } = session;
        throw refused(parts, error, { router, signs: signed !== null, clientIp: request.clientIp });
      }
    },
  };
};

const challengeAnswer = ({ challenges, clock }: GateParts): RouterAnswer => ({
  success: true,
  challenge: challenges.issue(),
  expires_in: challengeLifetimeMs / 1000,
  server_time: Math.floor(clock.now() / 1000),
});

/** What a guess at a secret looks like. After too many from one address it is not even told that it was wrong. */
const guesses: ReadonlySet<RouterRefusalCode> = new Set([
  "signature_invalid",
  "signature_required",
  "legacy_refused",
  "router_unknown",
]);

/** Merely wrong, or passing: in the log alone. */
const harmless: ReadonlySet<RouterRefusalCode> = new Set(["invalid_request", "unavailable"]);

/** Who was refused; `signs` when it came with a signature, right or wrong. */
type Stranger = Readonly<{ router: RouterId | null; signs: boolean; clientIp: string }>;

/** Counts, logs and audits what was refused. @returns what to throw; anything but a refusal as it is */
const refused = (
  parts: GateParts,
  error: unknown,
  { router, signs, clientIp }: Stranger,
): unknown => {
  if (!(error instanceof RouterRefusal)) {
    return error;
  }
  const refusal = countedFailure(parts, error, clientIp);
  if (!harmless.has(refusal.code)) {
    // Of all refusals this alone is told to nobody but the router itself: a replay is found out before.
    const proven = signs && refusal.code === "router_revoked";
    parts.onRefused({ refusal, router, proven, clientIp });
  }
  parts.log.info({ router, code: refusal.code, client_ip: clientIp }, "Router refused");
  return refusal;
};

const countedFailure = (
  { limits }: GateParts,
  refusal: RouterRefusal,
  clientIp: string,
): RouterRefusal => {
  // A secret that was sent in the clear is told of in any case: its owner must change it.
  if (!guesses.has(refusal.code) && refusal.code !== "secret_leaked") {
    return refusal;
  }
  const room = limits.failures.take(clientIp);
  return room.allowed || refusal.code === "secret_leaked"
    ? refusal
    : rateLimited("Too many bad signatures from this address.", room.retryAfterMs / 1000);
};
