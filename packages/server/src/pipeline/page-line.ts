/**
 * The line as a page fetch walks it: the same stages, with the web where upstream stands and nothing to pay.
 */
import type { IncomingHttpHeaders } from "node:http";
import { errorMeanings, microUsd, type RequestId } from "@claude-relay/contract";
import type { Active, ActiveExchanges } from "./active-exchanges.ts";
import { admitDoor, admitRate } from "./admit.ts";
import type { Authenticate } from "./authenticate.ts";
import { callerKey } from "./caller-key.ts";
import { clientLeftStatus } from "./client-left-status.ts";
import { logOutcome } from "./line-log.ts";
import type { Log } from "./log.ts";
import type { Page, PageFetch, PageRequest } from "./page-ports.ts";
import type { Rate, RateLimiter } from "./rate-limiter.ts";
import { Refusal } from "./refusal.ts";
import type { Caller, Clock, Intent, Ledger, Outcome } from "./types.ts";
import { emptyUsage } from "./usage/usage.ts";

/** A page fetch as it came in, its body unread. */
export type PageIngress = Readonly<{
  id: RequestId;
  headers: IncomingHttpHeaders;
  clientIp: string;
  /** Called once the caller is known. @throws Refusal `invalid_request`, `too_large` */
  readRequest(): Promise<PageRequest>;
}>;

export type PageLineDeps = Readonly<{
  authenticate: Authenticate;
  /** Pages have a bucket of their own: they never spend the model's. */
  limiter: RateLimiter;
  rate: Rate;
  fetchPage: PageFetch;
  ledger: Ledger;
  /** A drain waits for pages too. */
  active: ActiveExchanges;
  clock: Clock;
  log: Log;
  /** Told of everything thrown after the caller was known, for the audit log. */
  onRefused: (
    error: unknown,
    caller: Caller,
    ingress: Pick<PageIngress, "id" | "clientIp">,
  ) => void;
}>;

export type PageLine = (ingress: PageIngress) => Promise<Page>;

export const createPageLine =
  (deps: PageLineDeps): PageLine =>
  async (ingress) => {
    const caller = await deps.authenticate(ingress.headers, ingress.clientIp);
    try {
      admitDoor(caller, "fetch");
      admitRate(deps.limiter, caller, deps.clock, deps.rate);
      const request = await ingress.readRequest();
      // The body may have been long on its way: a credential revoked meanwhile opens nothing any more.
      await deps.authenticate(ingress.headers, ingress.clientIp);
      const intent = intentOf(ingress, caller, deps.clock);
      await deps.ledger.open(intent);
      return await recorded(deps, intent, { ...request, callerKey: callerKey(caller) });
    } catch (error) {
      deps.onRefused(error, caller, ingress);
      throw error;
    }
  };

const recorded = async (
  deps: PageLineDeps,
  intent: Intent,
  request: PageRequest,
): Promise<Page> => {
  const startedMs = deps.clock.monotonicMs();
  const close = (status: number, ending: Outcome["ending"], errorType: string | null): void => {
    const outcome: Outcome = {
      id: intent.id,
      status,
      accuracy: "free",
      ending,
      durationMs: deps.clock.monotonicMs() - startedMs,
      firstByteMs: null,
      responseModel: null,
      usage: emptyUsage,
      costMicroUsd: microUsd(0),
      priceFlag: null,
      errorType,
      upstreamRequestId: null,
    };
    deps.ledger.close(outcome);
    logOutcome(deps.log, outcome);
  };
  try {
    const page = await whileActive(deps, request);
    close(200, "complete", null);
    return page;
  } catch (error) {
    if (request.signal.aborted) {
      close(clientLeftStatus, "client_left", null);
    } else {
      const { status, type } = errorMeanings[error instanceof Refusal ? error.code : "internal"];
      close(status, "complete", type);
    }
    throw error;
  }
};

const whileActive = async (
  { active, fetchPage }: PageLineDeps,
  request: PageRequest,
): Promise<Page> => {
  const abandoned = new AbortController();
  const exchange: Active = {
    slot: 0,
    tick: () => undefined,
    abandon: () => abandoned.abort(new Refusal("draining", "The relay is shutting down.")),
  };
  active.add(exchange);
  try {
    const signal = AbortSignal.any([request.signal, abandoned.signal]);
    return await fetchPage({ ...request, signal });
  } finally {
    active.delete(exchange);
  }
};

const intentOf = ({ id }: PageIngress, caller: Caller, clock: Clock): Intent => ({
  id,
  startedAt: clock.now(),
  operation: "fetch",
  callerKind: caller.kind,
  callerId: caller.id,
  userId: caller.userId,
  organizationId: caller.organizationId,
  sessionId: null,
  model: null,
  stream: false,
  bodyBytes: 0,
  upstream: "web",
  holdMicroUsd: microUsd(0),
  fallback: { inputTokens: 0, costMicroUsd: microUsd(0), accuracy: "free" },
});
