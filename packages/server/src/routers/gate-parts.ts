import type { RouterId } from "@claude-relay/contract";
import type { Log } from "../pipeline/log.ts";
import type { RateLimiter } from "../pipeline/rate-limiter.ts";
import type { RouterRefusal, RouterRegistry } from "../pipeline/router-ports.ts";
import type { Clock } from "../pipeline/types.ts";
import type { ChallengeBook } from "./challenge-book.ts";
import type { NonceBook } from "./nonce-book.ts";
import type { SessionBook } from "./session-book.ts";

/** What the gate is counted by. Only `failures` and `challenges` are taken from by strangers. */
export type GateLimits = Readonly<{
  /** Challenges by address. */
  challenges: RateLimiter;
  /** Bad signatures by address. A good one always passes, whatever its neighbours did. */
  failures: RateLimiter;
  /** Handshakes with a good signature, by address. */
  addresses: RateLimiter;
  /** Handshakes with a good signature, by router. */
  routers: RateLimiter;
}>;

export type RefusedRouter = Readonly<{
  refusal: RouterRefusal;
  /** Whom it claimed to be. */
  router: RouterId | null;
  /** Whether it had signed as that one. */
  proven: boolean;
  clientIp: string;
}>;

export type GateOptions = Readonly<{
  registry: RouterRegistry;
  clock: Clock;
  randomBytes: (size: number) => Buffer;
  limits: GateLimits;
  /** Whether the old form of the handshake is accepted. */
  legacy: boolean;
  /** Whether only this machine can reach the listener: then a relay without secrets needs no signature. */
  isLoopbackListener: boolean;
  version: string;
  cloudPort: number;
  /** Told of everything refused that may be an attack, for the audit log. */
  onRefused: (refused: RefusedRouter) => void;
  log: Log;
}>;

/** The options, and what the gate remembers. */
export type GateParts = GateOptions &
  Readonly<{
    nonces: NonceBook;
    challenges: ChallengeBook;
    sessions: SessionBook;
    /** Signs for routers that have no secret, so that they cannot be told by the time it takes. */
    decoySecret: string;
  }>;
