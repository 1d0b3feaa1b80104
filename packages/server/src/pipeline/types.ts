/**
 * The values that travel down the line, and the ports the line needs.
 *
 *   Ingress → authenticate → Caller → admit → Admitted → forward, meter → Outcome → record
 *
 * Values grow along the line and are never mutated. The ports are implemented by
 * credentials/, limits/, upstreams/ and store/, which know these types but not each other.
 */

import type { IncomingHttpHeaders } from "node:http";
import type {
  AppKeyId,
  DeviceId,
  Door,
  EpochMs,
  MicroUsd,
  ModelId,
  OrganizationId,
  RequestId,
  RouterId,
  UserId,
} from "@claude-relay/contract";
import type { Amounts, Verdict } from "./admission.ts";

/** What is asked of upstream. Upstream paths come from a fixed table keyed by this, never from the caller. */
export type UpstreamOperation =
  | { readonly kind: "messages"; readonly beta: boolean }
  /** One prompt of `/v1/complete`, written as a Messages body. */
  | { readonly kind: "complete" }
  /** One command or explanation for a router, written as a Messages body. */
  | { readonly kind: "router" }
  | { readonly kind: "count_tokens"; readonly beta: boolean }
  | { readonly kind: "list_models"; readonly query: ModelsQuery }
  | { readonly kind: "get_model"; readonly model: ModelId };

/** What a caller asks for: of upstream, or a page of the web. */
export type Operation = UpstreamOperation | { readonly kind: "fetch" };

export type ModelsQuery = Readonly<{ limit?: number; after_id?: string; before_id?: string }>;

/** A request as it came in, its body whole and unread. */
export type Ingress = Readonly<{
  id: RequestId;
  operation: UpstreamOperation;
  headers: IncomingHttpHeaders;
  /**
   * Reads the body whole, once: the exact bytes that will go upstream; null for a GET.
   * Called after authentication, so that a stranger's 32 MiB are never held.
   * @throws Refusal `too_large`, `invalid_request` when the caller broke off
   */
  readBody(): Promise<Buffer | null>;
  /** Takes the body's memory back. Only when upstream has answered in full; otherwise it is left to the collector. */
  releaseBody(body: Buffer): void;
  clientIp: string;
  startedAt: EpochMs;
}>;

/** What a caller may do. `null` means no restriction on this level. */
export type Policy = Readonly<{
  /** Exact ids or patterns with one trailing `*`. */
  models: readonly string[] | null;
  requestsPerMinute: number | null;
}>;

export type AppKeyPolicy = Policy &
  Readonly<{
    /** By UTC day. */
    requestsPerDay: number | null;
    /** Model calls at once. */
    concurrency: number | null;
    /** Null for every door. */
    doors: readonly Door[] | null;
  }>;

type Owned = Readonly<{ userId: UserId | null; organizationId: OrganizationId | null }>;

export type DeviceCaller = Owned & Readonly<{ kind: "device"; id: DeviceId; policy: Policy }>;
export type AppKeyCaller = Owned &
  Readonly<{ kind: "app_key"; id: AppKeyId; policy: AppKeyPolicy }>;

export type RouterCaller = Owned & Readonly<{ kind: "router"; id: RouterId; policy: Policy }>;

/** Whoever calls. */
export type Caller = DeviceCaller | AppKeyCaller | RouterCaller;

/**
 * A model a body can reach, and the field that names it. A fallback or an advisor tool may set its own
 * `max_tokens`, a fallback its own `speed`; null or absent means the request's, or upstream's default.
 * `fallbacks: "default"` leaves the choice to upstream and is listed as the model `default`.
 */
export type ReachableModel = Readonly<{
  field: string;
  model: ModelId;
  maxTokens?: number | null;
  speed?: string | null;
}>;

/** The deciding fields of a Messages body, read once from the bytes that go upstream (body-scan.ts). */
export type BodyFacts = Readonly<{
  model: ModelId;
  maxTokens: number | null;
  stream: boolean;
  /** Every model the body can reach: `model` first, then `fallbacks[].model`, `tools[].model` and added tools'. */
  models: readonly ReachableModel[];
  /** How many server-tool uses the body allows at most (`tools[].max_uses`); null when unbounded, 0 without such tools. */
  serverToolUses: number | null;
  speed: string | null;
  serviceTier: string | null;
  inferenceGeo: string | null;
  /** Upstream holds earlier turns of the prompt itself (beta `thread`), so the body does not bound the input. */
  promptElsewhere?: boolean;
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
  callerId: Caller["id"];
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
  fallback: Readonly<{
    inputTokens: number;
    /** In the cost, but not in the row of a process that died. */
    outputTokens?: number;
    costMicroUsd: MicroUsd;
    accuracy: Accuracy;
  }>;
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
  operation: UpstreamOperation;
  /** Name, value, name, value …; already filtered: no credentials, no hop-by-hop, none of ours. */
  headers: readonly string[];
  body: Buffer | null;
  /** Whose request it is, for an upstream whose places callers share. Never sent anywhere. */
  callerKey?: string;
  /** What the body asks for first: upstream's limits are by model. */
  model?: ModelId | null;
}>;

/** A request that may go upstream, and what the ledger holds of it. */
export type Admitted = Readonly<{
  intent: Intent;
  request: UpstreamRequest;
  /** Call at most once, when upstream has answered in full. */
  releaseBody(): void;
  /** What remains of the caller's limits and budgets. */
  granted: Extract<Verdict, { kind: "granted" }>;
  /** When the caller leaves, upstream's answer is read to its end, so that it is measured, not estimated. */
  drain: boolean;
  /** Monotonic time at which the request came in. */
  startedMs: number;
}>;

/**
 * Why upstream gave no (whole) answer. `sent` says whether upstream may have seen the request and so may bill it.
 */
export type UpstreamFailure =
  | { readonly kind: "breaker_open"; readonly retryAfterSeconds: number; readonly sent: false }
  /** Upstream gives less than callers want, and this one has had its share. */
  | { readonly kind: "limited"; readonly retryAfterSeconds: number; readonly sent: false }
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
  /** Whether upstream may have seen the request. */
  readonly sent: boolean;
  /** What the call used, told once it is counted: for an upstream that shares what it has among callers. */
  used?(used: Amounts): void;
}

export interface Upstream {
  /** Shown to callers in `x-relay-upstream`. */
  readonly name: string;
  /** `subscription`: what it does is paid for already, so it costs nothing more. Otherwise it is priced. */
  readonly billing?: "subscription";
  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamExchange;
}

/** What a caller was told in the end. */
export type Told = Readonly<{ status: number; errorType: string | null }>;

/** The caller's side of an exchange: writes straight to its socket. */
export interface CallerReply {
  /** True once the caller has disconnected; nothing is written any more. */
  readonly left: boolean;
  /** Headers are a flat list: name, value, name, value … */
  start(status: number, headers: string[]): void;
  /** Gives false when the caller reads slower than upstream writes: wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  end(lastChunk: Buffer | null): void;
  /** Ends so that no client can take the answer for whole. */
  breakOff(lastChunk: Buffer | null): void;
  /** At most one listener each; `onLeave` fires at once when the caller has already left. */
  onDrain(listener: () => void): void;
  onLeave(listener: () => void): void;
  /**
   * Of a reply that tells its caller something else than upstream said: what that is. Reads the last chunk,
   * which `end` is given again.
   */
  told?(lastChunk: Buffer | null): Told;
}

/** A clock of both kinds: `now` for rows and tokens, `monotonicMs` for limits and durations. */
export interface Clock {
  now(): EpochMs;
  monotonicMs(): number;
}
