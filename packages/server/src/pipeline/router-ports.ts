/** Routers as http/, routers/, credentials/ and store/ share them. The wire is told in docs/routers.md. */
import type { EpochMs, OrganizationId, RouterId, UserId } from "@claude-relay/contract";
import type { Page, PageQuery } from "./ports.ts";
import type { RouterCaller } from "./types.ts";

/** How a router came to be known: added by name, by the shared secret, or unsigned on loopback. */
export type RouterEnrollment = "admin" | "shared_secret" | "loopback";

/** One router; its secret is derived when needed and never stored. A policy field of null: the relay's default. */
export type RouterRecord = Readonly<{
  id: RouterId;
  enrolledBy: RouterEnrollment;
  /** Which of the secrets derived for it is good: each rotation makes the next. */
  generation: number;
  /** What it last called itself (`/system identity`). */
  identity: string | null;
  createdAt: EpochMs;
  rotatedAt: EpochMs | null;
  revokedAt: EpochMs | null;
  lastSeenAt: EpochMs | null;
  models: readonly string[] | null;
  requestsPerMinute: number | null;
  userId: UserId | null;
  organizationId: OrganizationId | null;
}>;

/** What an admin sets; the rest of a record is ours. */
export type RouterSettings = Pick<
  RouterRecord,
  "models" | "requestsPerMinute" | "userId" | "organizationId"
>;

/** That a router was here, and what it called itself. */
export type RouterSighting = Readonly<{ id: RouterId; at: EpochMs; identity: string | null }>;

export interface RouterStore {
  /** Every router, revoked ones too. */
  loadAll(): Promise<readonly RouterRecord[]>;
  /** Newest first. */
  list(query: PageQuery): Promise<Page<RouterRecord>>;
  /** Gives null when the id is taken. */
  insert(router: RouterRecord): Promise<RouterRecord | null>;
  /**
   * Replaces a row, though only `touch` moves `identity` and `lastSeenAt` of a router that stays the same one
   * (`createdAt`). Gives the row as it now stands.
   * @throws Refusal `conflict` when another instance has made a newer secret or revoked it meanwhile
   */
  replace(router: RouterRecord): Promise<RouterRecord>;
  /** Moves `lastSeenAt` forward, and `identity` with it; never back, and not of a router added after that. */
  touch(sightings: readonly RouterSighting[]): Promise<void>;
}

/** What an admin does with routers. Every change counts at once and is audited. */
export interface RouterAdmin {
  /** Adds a router: this is the one time its secret is told. @throws Refusal `conflict` for a name in use */
  add(
    id: RouterId,
    settings: Partial<RouterSettings>,
    clientIp: string,
  ): Promise<Readonly<{ secret: string; record: RouterRecord }>>;
  list(query: PageQuery): Promise<Page<RouterRecord>>;
  /** @throws Refusal `not_found` */
  get(id: RouterId): RouterRecord;
  /** @throws Refusal `not_found`, `conflict` for a revoked router */
  change(id: RouterId, changes: Partial<RouterSettings>, clientIp: string): Promise<RouterRecord>;
  /** @throws Refusal `not_found` */
  revoke(id: RouterId, clientIp: string): Promise<RouterRecord>;
  /** A new secret; the old one, and every session made with it, ends at once. @throws Refusal `not_found`, `conflict` */
  rotate(
    id: RouterId,
    clientIp: string,
  ): Promise<Readonly<{ secret: string; record: RouterRecord }>>;
}

/** What a handshake may prove, and whom it then stands for. From memory, so that no request waits. */
export interface RouterRegistry {
  /**
   * The secrets that may sign for this id, best first; empty when none may (unknown without a shared secret).
   * A revoked router still has its secrets here: it is told so only after it proved who it is.
   */
  secretsFor(id: RouterId): readonly string[];
  /** Whether an unsigned handshake may be accepted from loopback: no shared secret is set, and the id has none of its own. */
  opensUnsigned(id: RouterId): boolean;
  /**
   * After a good handshake: notes identity and time, registers a router not seen before.
   * @throws Refusal `forbidden` when it is revoked, `credential_invalid` when what it proved is not enough (any more),
   * `rate_limited` when no more routers may register themselves
   */
  admit(id: RouterId, proof: RouterProof): Promise<RouterCaller>;
  /** The caller as it stands now; null when it is revoked or its secret was rotated since `generation`. */
  current(id: RouterId, generation: number): RouterCaller | null;
  /** The generation a session made now belongs to; 0 for an unknown id. */
  generationOf(id: RouterId): number;
}

export type RouterProof = Readonly<{
  enrolledBy: Exclude<RouterEnrollment, "admin">;
  identity: string;
  clientIp: string;
}>;

/** A request of a router as it came over the wire; `body` is the raw bytes. */
export type RouterRequest = Readonly<{
  method: "GET" | "POST";
  /** As sent, without a query. */
  path: string;
  session: string | undefined;
  sequence: string | undefined;
  signature: string | undefined;
  body: Buffer;
  clientIp: string;
}>;

/** A request whose signature held. */
export type OpenedRequest = Readonly<{
  caller: RouterCaller;
  session: string;
  /** The reply's JSON text, put under the session's key; ASCII, ready to send. */
  seal(answer: RouterAnswer): string;
}>;

/** What is answered: always with `success`, and with `code` and `error` when that is false. */
export type RouterAnswer = Readonly<{ success: boolean; [field: string]: unknown }>;

/** The handshake, the sessions it makes, and the requests they sign. */
export interface RouterGate {
  /** @throws RouterRefusal */
  challenge(clientIp: string): RouterAnswer;
  /** `body` is JSON as parsed, unchecked. @throws RouterRefusal */
  handshake(body: unknown, clientIp: string): Promise<RouterAnswer>;
  /**
   * @throws RouterRefusal; one thrown after the signature held carries `seal`, so that it too can be believed
   */
  open(request: RouterRequest): OpenedRequest;
}

export type RouterRefusalCode =
  | "invalid_request"
  | "signature_required"
  | "signature_invalid"
  | "secret_leaked"
  | "legacy_refused"
  | "clock_skew"
  | "nonce_reused"
  | "challenge_invalid"
  | "router_unknown"
  | "router_revoked"
  | "rate_limited"
  | "session_unknown"
  | "session_expired"
  | "sequence_invalid"
  | "too_large"
  | "forbidden_command"
  | "not_possible"
  | "confirm_invalid"
  | "job_unknown"
  | "budget_exceeded"
  | "model_denied"
  | "upstream_unavailable"
  | "timeout"
  | "unavailable"
  | "internal";

/**
 * What a router is told instead of an answer: HTTP 200 with `success: false`, since RouterOS drops the body of a 4xx.
 * The message names the remedy, and never a secret.
 */
export class RouterRefusal extends Error {
  readonly code: RouterRefusalCode;
  /** Further fields of the answer, e.g. `server_time`. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly seal: OpenedRequest["seal"] | null;

  constructor(
    code: RouterRefusalCode,
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
    seal: OpenedRequest["seal"] | null = null,
  ) {
    super(message);
    this.name = "RouterRefusal";
    this.code = code;
    this.fields = fields;
    this.seal = seal;
  }
}

/**
 * What routers ask for once they are let in. Answers are what `seal` is given. `left` fires when the router goes
 * away before it is answered.
 */
export interface RouterCommands {
  /** `body` is JSON as parsed, unchecked. Gives a pending answer when it takes long. @throws RouterRefusal */
  process(
    caller: RouterCaller,
    body: unknown,
    clientIp: string,
    left: AbortSignal,
  ): Promise<RouterAnswer>;
  /** @throws RouterRefusal */
  explain(
    caller: RouterCaller,
    body: unknown,
    clientIp: string,
    left: AbortSignal,
  ): Promise<RouterAnswer>;
  /** @throws RouterRefusal `job_unknown` */
  job(caller: RouterCaller, job: string): Promise<RouterAnswer>;
  /** Resolves when every router that was told a job has its answer, or after so many milliseconds. */
  collected(patienceMs: number): Promise<void>;
  close(): Promise<void>;
}
