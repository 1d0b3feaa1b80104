/**
 * The values that travel down the line, and the ports the line needs.
 *
 *   Ingress → authenticate → Authenticated → admit → Admitted → forward, meter → Outcome → record
 *
 * Values grow along the line and are never mutated. The ports are implemented by
 * credentials/, limits/, upstreams/ and store/, which know these types but not each other.
 */

import type { IncomingHttpHeaders } from "node:http";
import type {
  DeviceId,
  EpochMs,
  MicroUsd,
  ModelId,
  OrganizationId,
  RequestId,
  UserId,
} from "@claude-relay/contract";

/** What is asked of upstream. Upstream paths come from a fixed table keyed by this, never from the caller. */
export type Operation =
  | { readonly kind: "messages"; readonly beta: boolean }
  | { readonly kind: "count_tokens"; readonly beta: boolean }
  | { readonly kind: "list_models"; readonly query: ModelsQuery }
  | { readonly kind: "get_model"; readonly model: ModelId };

export type ModelsQuery = Readonly<{ limit?: number; after_id?: string; before_id?: string }>;

/** A request as it came in, its body whole and unread. */
export type Ingress = Readonly<{
  id: RequestId;
  operation: Operation;
  headers: IncomingHttpHeaders;
  /** The exact bytes that will go upstream; null for a GET. */
  body: Buffer | null;
  clientIp: string;
  startedAt: EpochMs;
}>;

/** What a caller may do. `null` means no restriction on this level. */
export type Policy = Readonly<{
  /** Exact ids or patterns with one trailing `*`. */
  models: readonly string[] | null;
  requestsPerMinute: number | null;
}>;

export type Caller = Readonly<{
  kind: "device";
  id: DeviceId;
  userId: UserId | null;
  organizationId: OrganizationId | null;
  policy: Policy;
}>;

/** The deciding fields of a Messages body, read once from the bytes that go upstream (body-scan.ts). */
export type BodyFacts = Readonly<{
  model: ModelId;
  maxTokens: number | null;
  stream: boolean;
  /** Every model the body can reach: `model`, `fallbacks[].model`, `tools[].model`. `field` is where it stands. */
  models: readonly Readonly<{ field: string; model: ModelId }>[];
  /** How many server-tool uses the body allows at most (`tools[].max_uses`); null when unbounded, 0 without such tools. */
  serverToolUses: number | null;
  speed: string | null;
  serviceTier: string | null;
  inferenceGeo: string | null;
}>;

/** Tokens as Anthropic counts them: `inputTokens` excludes cache reads and writes. */
export type Tokens = Readonly<{
  inputTokens: number;
  outputTokens: number;
  cacheReadInputTokens: number;
  cacheCreation5mInputTokens: number;
  cacheCreation1hInputTokens: number;
}>;

export type Usage = Tokens &
  Readonly<{
    webSearchRequests: number;
    webFetchRequests: number;
    serviceTier: string | null;
    speed: string | null;
    inferenceGeo: string | null;
    /** Beta: one response may bill several models. Empty when the totals are one model's. */
    iterations: readonly (Tokens & Readonly<{ model: ModelId | null }>)[];
  }>;

/**
 * How far a ledger row can be trusted: `measured` by upstream's own final count, `estimated` because the
 * count never came (caller left, upstream broke, process died), `free` because upstream charges nothing.
 */
export type Accuracy = "measured" | "estimated" | "free";

/** How an exchange ended. */
export type Ending = "complete" | "client_left" | "upstream_broke" | "process_died";

/** The ledger's first half: written before upstream is called. */
export type Intent = Readonly<{
  id: RequestId;
  startedAt: EpochMs;
  operation: Operation["kind"];
  callerKind: Caller["kind"];
  deviceId: DeviceId;
  userId: UserId | null;
  organizationId: OrganizationId | null;
  /** From `x-claude-code-session-id`; at most 128 printable characters. */
  sessionId: string | null;
  model: ModelId | null;
  stream: boolean;
  bodyBytes: number;
  upstream: string;
  /** The most this request can cost. */
  holdMicroUsd: MicroUsd;
  /** What the row says if no outcome ever follows. */
  fallback: Readonly<{ inputTokens: number; costMicroUsd: MicroUsd; accuracy: Accuracy }>;
}>;

/** A mark in between, so that a killed process loses at most a second of a long stream's count. */
export type Progress = Readonly<{ id: RequestId; usage: Usage; costMicroUsd: MicroUsd }>;

/** The ledger's second half. */
export type Outcome = Readonly<{
  id: RequestId;
  /** The HTTP status the caller saw; 499 when it left before one was sent. */
  status: number;
  accuracy: Accuracy;
  ending: Ending;
  durationMs: number;
  /** Until upstream's response headers; null when none came. */
  firstByteMs: number | null;
  /** The model that answered, when the response names one. */
  responseModel: ModelId | null;
  usage: Usage;
  costMicroUsd: MicroUsd;
  /** Why the price is not the plain one, e.g. `unknown_model`. */
  priceFlag: string | null;
  errorType: string | null;
  upstreamRequestId: string | null;
}>;

/** The ledger port: journal first, tables after. */
export interface Ledger {
  /**
   * Resolves when the intent is in the journal file.
   * @throws Refusal `storage_unavailable` when the journal cannot be written.
   */
  open(intent: Intent): Promise<void>;
  progress(mark: Progress): void;
  /** Never throws: an outcome that cannot be written is logged, and the row becomes `estimated`. */
  close(outcome: Outcome): void;
}

/** One call to upstream, in the hands of the line. */
export type UpstreamRequest = Readonly<{
  operation: Operation;
  /** Already filtered: no credentials, no hop-by-hop, none of ours. */
  headers: Readonly<Record<string, string | string[]>>;
  body: Buffer | null;
}>;

/**
 * Why upstream gave no (whole) answer. `sent` says whether upstream may have seen the request and so may bill it.
 */
export type UpstreamFailure =
  | { readonly kind: "breaker_open"; readonly retryAfterSeconds: number; readonly sent: false }
  | { readonly kind: "unreachable"; readonly message: string; readonly sent: boolean }
  | { readonly kind: "timeout"; readonly message: string; readonly sent: boolean };

/** Receives an upstream's answer. `onStart` at most once; then exactly one of `onEnd` and `onFailure`. */
export interface UpstreamReceiver {
  onStart(status: number, headers: IncomingHttpHeaders): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** Before `onStart`: no answer came. After it: the answer broke off. */
  onFailure(failure: UpstreamFailure): void;
}

/** The running call: backpressure and cancellation. Nothing is received after `cancel`. */
export interface UpstreamExchange {
  pause(): void;
  resume(): void;
  cancel(): void;
}

export interface Upstream {
  /** Shown to callers in `x-relay-upstream`. */
  readonly name: string;
  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamExchange;
}

/** A clock of both kinds: `now` for rows and tokens, `monotonicMs` for limits and durations. */
export interface Clock {
  now(): EpochMs;
  monotonicMs(): number;
}
