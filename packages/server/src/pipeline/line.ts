/**
 * The line every request walks:
 *
 *   authenticate → admit → forward → meter → record
 *
 * A refusal is thrown at any stage before `forward` answers, and mapped to the wire once, by the door.
 */
import type { ModelId } from "@claude-relay/contract";
import { microUsd } from "@claude-relay/contract";
import { type AllowsModel, admitDoor, admitModel, admitModels, admitRate } from "./admit.ts";
import type { AppLimits } from "./app-limits.ts";
import type { Authenticate } from "./authenticate.ts";
import { scanBody } from "./body/body-scan.ts";
import { headersForUpstream } from "./forward-headers.ts";
import { type ForwardingDeps, forward } from "./forwarding.ts";
import { logIncoming } from "./line-log.ts";
import { ModelListReply } from "./model-list-reply.ts";
import { compileModelList } from "./model-pattern.ts";
import { doorOf, isModelCall } from "./operations.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import type { Admitted, BodyFacts, Caller, CallerReply, Ingress, Intent, Policy } from "./types.ts";
import { emptyUsage, estimateInputTokens } from "./usage/usage.ts";

export type LineDeps = ForwardingDeps &
  Readonly<{
    authenticate: Authenticate;
    limiter: RateLimiter;
    appLimits: AppLimits;
    relayAllows: AllowsModel;
    /** Whether `relayAllows` leaves any model out. */
    modelsRestricted: boolean;
    /** Told of everything thrown after the caller was known, for the audit log. */
    onRefused: (error: unknown, caller: Caller, ingress: Pick<Ingress, "id" | "clientIp">) => void;
  }>;

export type Line = (ingress: Ingress, reply: CallerReply) => Promise<void>;

export const createLine =
  (deps: LineDeps): Line =>
  async (ingress, reply) => {
    const startedMs = deps.clock.monotonicMs();
    const caller = await deps.authenticate(ingress.headers, ingress.clientIp);
    try {
      admitDoor(caller, doorOf(ingress.operation.kind));
      admitRate(deps.limiter, caller, deps.clock);
      logIncoming(deps.log, ingress, caller);
      const body = await ingress.readBody();
      const admitted = admit(deps, ingress, caller, body, startedMs);
      const leave = isModelCall(ingress.operation.kind) ? deps.appLimits.enter(caller) : null;
      try {
        await deps.ledger.open(admitted.intent);
        await forward(deps, admitted, replyFor(deps, ingress, caller, reply));
      } finally {
        leave?.();
      }
    } catch (error) {
      deps.onRefused(error, caller, ingress);
      throw error;
    }
  };

const admit = (
  deps: LineDeps,
  ingress: Ingress,
  caller: Caller,
  body: Buffer | null,
  startedMs: number,
): Admitted => {
  const { operation } = ingress;
  const callerAllows = allowsModel(caller.policy);
  const facts =
    body === null
      ? null
      : scanBody(body, operation.kind === "count_tokens" ? "count_tokens" : "messages");
  if (facts !== null) {
    admitModels(facts, deps.relayAllows, callerAllows, caller.kind);
  }
  if (operation.kind === "get_model") {
    admitModel("model", operation.model, deps.relayAllows, callerAllows, caller.kind);
  }
  return {
    intent: intentOf(deps, ingress, caller, facts, body?.length ?? 0),
    request: { operation, headers: headersFor(ingress, caller), body },
    releaseBody: () => body !== null && ingress.releaseBody(body),
    startedMs,
  };
};

/** Apps ask for the list of models with nothing but their key; upstream wants a version named. */
const headersFor = ({ operation, headers }: Ingress, caller: Caller): string[] => {
  const forwarded = headersForUpstream(headers);
  const plain =
    caller.kind === "app_key" && !isModelCall(operation.kind) && !headers["anthropic-version"];
  return plain ? [...forwarded, "anthropic-version", "2023-06-01"] : forwarded;
};

/** Under a list of models, the list of models is cut to it. */
const replyFor = (
  deps: LineDeps,
  { operation }: Ingress,
  { policy }: Caller,
  reply: CallerReply,
): CallerReply => {
  if (operation.kind !== "list_models" || (!deps.modelsRestricted && policy.models === null)) {
    return reply;
  }
  const callerAllows = allowsModel(policy);
  return new ModelListReply(reply, (model) => deps.relayAllows(model) && callerAllows(model));
};

const intentOf = (
  deps: LineDeps,
  ingress: Ingress,
  caller: Caller,
  facts: BodyFacts | null,
  bodyBytes: number,
): Intent => {
  const { operation, startedAt } = ingress;
  const charged = isModelCall(operation.kind) && facts !== null;
  const billed = deps.upstream.billing !== "subscription";
  return {
    id: ingress.id,
    startedAt,
    operation: operation.kind,
    callerKind: caller.kind,
    callerId: caller.id,
    userId: caller.userId,
    organizationId: caller.organizationId,
    sessionId: sessionId(ingress.headers["x-claude-code-session-id"]),
    model: facts?.model ?? (operation.kind === "get_model" ? operation.model : null),
    stream: facts?.stream ?? false,
    bodyBytes,
    upstream: deps.upstream.name,
    holdMicroUsd:
      charged && billed ? deps.prices.worstCase({ facts, bodyBytes, at: startedAt }) : nothing,
    fallback: charged ? estimate(deps, facts.model, billed, bodyBytes, ingress) : unbilled,
  };
};

const nothing = microUsd(0);
const unbilled: Intent["fallback"] = { inputTokens: 0, costMicroUsd: nothing, accuracy: "free" };

const estimate = (
  deps: LineDeps,
  model: ModelId,
  billed: boolean,
  bodyBytes: number,
  ingress: Ingress,
): Intent["fallback"] => {
  const inputTokens = estimateInputTokens(bodyBytes);
  const usage = { ...emptyUsage, inputTokens };
  const { costMicroUsd } = deps.prices.price({ model, usage, at: ingress.startedAt });
  return { inputTokens, costMicroUsd: billed ? costMicroUsd : nothing, accuracy: "estimated" };
};

/** A policy object lives as long as its device's record: its list is compiled once. */
const compiled = new WeakMap<Policy, AllowsModel>();

const allowsModel = (policy: Policy): AllowsModel => {
  const known = compiled.get(policy);
  if (known !== undefined) {
    return known;
  }
  const allows = compileModelList(policy.models);
  compiled.set(policy, allows);
  return allows;
};

/** Claude Code names its session; anything else in that header is not worth keeping. */
const sessionId = (header: string | string[] | undefined): string | null =>
  typeof header === "string" && /^[\x21-\x7e]{1,128}$/.test(header) ? header : null;
