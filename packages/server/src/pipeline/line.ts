/**
 * The line every request walks:
 *
 *   authenticate → admit → forward → meter → record
 *
 * A refusal is thrown at any stage before `forward` answers, and mapped to the wire once, by the door.
 */
import { microUsd } from "@claude-relay/contract";
import type { Amounts, Budget, Scope } from "./admission.ts";
import { type AllowsModel, admitDoor, admitModel, admitModels } from "./admit.ts";
import type { Authenticate } from "./authenticate.ts";
import { scanBody } from "./body/body-scan.ts";
import { callerKey } from "./caller-key.ts";
import { anthropicVersion, headersForUpstream } from "./forward-headers.ts";
import { type ForwardingDeps, forward } from "./forwarding.ts";
import { demandGrant, type Granted, nothingUsed, refuseEarly } from "./hold.ts";
import { logIncoming } from "./line-log.ts";
import { ModelListReply } from "./model-list-reply.ts";
import { doorOf, isModelCall } from "./operations.ts";
import type { Directory } from "./owner-ports.ts";
import { tokensBeyondBytes } from "./price/unbounded-parts.ts";
import type { Admitted, BodyFacts, Caller, CallerReply, Ingress, Intent } from "./types.ts";
import { emptyUsage, estimateInputTokens } from "./usage/usage.ts";

export type LineDeps = ForwardingDeps &
  Readonly<{
    authenticate: Authenticate;
    /** Whether nothing of a caller was changed since it was identified: to look a credential up again costs a hash. */
    isUnchanged: (caller: Caller) => boolean;
    /** What applies to a caller, on every level. */
    directory: Directory;
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
    let isHeld = false;
    try {
      admitDoor(caller, doorOf(ingress.operation.kind));
      const admitted = await admit(deps, ingress, caller, reply, startedMs);
      isHeld = true;
      await deps.ledger.open(admitted.intent);
      isHeld = false;
      await forward(deps, admitted, replyFor(deps, ingress, caller, reply));
    } catch (error) {
      if (isHeld) {
        // The intent could not be written down: what was held for it is given back.
        deps.admission.settle(ingress.id, null);
      }
      deps.onRefused(error, caller, ingress);
      throw error;
    }
  };

/** May they? Once this has passed, the request's worst case is held, and every end of it must settle. */
const admit = async (
  deps: LineDeps,
  ingress: Ingress,
  caller: Caller,
  reply: CallerReply,
  startedMs: number,
): Promise<Admitted> => {
  const limits = isModelCall(ingress.operation.kind)
    ? deps.directory.limitsOf(caller)
    : deps.directory.requestLimitsOf(caller);
  const key = callerKey(caller);
  refuseEarly(deps.admission, limits, deps.clock, key);
  logIncoming(deps.log, ingress, caller);
  let asked: Asked;
  try {
    const body = await ingress.readBody();
    if (body !== null && !deps.isUnchanged(caller)) {
      // It was long on its way: a credential revoked meanwhile opens nothing any more.
      const again = deps.authenticate(ingress.headers, ingress.clientIp);
      if (again instanceof Promise) {
        await again;
      }
    }
    asked = examine(deps, ingress, caller, body);
  } catch (error) {
    countRefused(deps, ingress, caller);
    throw error;
  }
  const { id } = ingress;
  const { budgets, worst, scopes } = asked;
  const hold = { id, limits, budgets, worst, scopes };
  const verdict = deps.admission.ask(hold, key, reply);
  const granted = demandGrant(verdict instanceof Promise ? await verdict : verdict, deps.clock);
  if (granted.queuedMs !== undefined) {
    await demandStillKnown(deps, ingress);
  }
  return admittedOf(deps, ingress, caller, key, asked, granted, startedMs);
};

/** After a wait: a credential revoked meanwhile opens nothing any more, and what was held is given back. */
const demandStillKnown = async (deps: LineDeps, { id, headers, clientIp }: Ingress) => {
  try {
    await deps.authenticate(headers, clientIp);
  } catch (error) {
    deps.admission.settle(id, null);
    throw error;
  }
};

/** A request that is turned down for what it says has used the caller's limit of requests all the same. */
const countRefused = (deps: LineDeps, { id }: Ingress, caller: Caller): void => {
  const limits = deps.directory.requestLimitsOf(caller);
  const verdict = deps.admission.ask({ id, limits, budgets: [], worst: nothingUsed });
  const settle = (): void => deps.admission.settle(id, nothingUsed);
  if (verdict instanceof Promise) {
    verdict.then(settle, settle);
  } else {
    settle();
  }
};

/** What a request asks for, and the most it can use. */
type Asked = Readonly<{
  body: Buffer | null;
  facts: BodyFacts | null;
  sessionId: string | null;
  budgets: readonly Budget[];
  scopes: readonly Scope[];
  worst: Amounts;
}>;

const nobody: readonly Scope[] = [];

/** Reads the deciding fields of a body, and checks every model it names. @throws Refusal */
const examine = (deps: LineDeps, ingress: Ingress, caller: Caller, body: Buffer | null): Asked => {
  const { operation } = ingress;
  const callerAllows = deps.directory.allowsModel(caller);
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
  const session = sessionId(ingress.headers["x-claude-code-session-id"]);
  const charged = body !== null && facts !== null && isModelCall(operation.kind);
  const budgets = charged ? deps.directory.budgetsOf(caller, session) : [];
  const scopes = charged ? deps.directory.scopesOf(caller, session) : nobody;
  const worst = charged ? worstOf(deps, ingress, facts, body, budgets) : nothingUsed;
  return { body, facts, sessionId: session, budgets, scopes, worst };
};

/**
 * The most a request can use. Money and all tokens are a true bound wherever a budget depends on it; a rate of
 * input tokens is held at an estimate, since a bound of four times that would refuse what fits. For a budget that is set
 * only later, what a body has beyond its bytes (images, documents) is not searched for.
 */
const worstOf = (
  deps: LineDeps,
  { startedAt }: Ingress,
  facts: BodyFacts,
  body: Buffer,
  budgets: readonly Budget[],
): Amounts => {
  const beyond = budgets.length === 0 ? 0 : tokensBeyondBytes(body);
  const asked = {
    facts: beyond === null ? { ...facts, promptElsewhere: true } : facts,
    bodyBytes: body.length + (beyond ?? 0),
    at: startedAt,
  };
  return {
    microUsd: deps.upstream.billing === "subscription" ? 0 : deps.prices.worstCase(asked),
    inputTokens: estimateInputTokens(body.length),
    outputTokens: facts.maxTokens ?? 0,
    tokens: deps.prices.worstTokens(asked),
  };
};

const admittedOf = (
  deps: LineDeps,
  ingress: Ingress,
  caller: Caller,
  key: string,
  asked: Asked,
  granted: Granted,
  startedMs: number,
): Admitted => {
  const { body } = asked;
  const { operation } = ingress;
  return {
    intent: intentOf(deps, ingress, caller, asked),
    request: {
      operation,
      headers: headersFor(ingress, caller),
      body,
      callerKey: key,
      model: asked.facts?.model ?? null,
    },
    releaseBody: () => body !== null && ingress.releaseBody(body),
    granted,
    drain: deps.directory.onDisconnect(caller) === "drain",
    startedMs,
  };
};

/** Apps ask for the list of models with nothing but their key; upstream wants a version named. */
const headersFor = ({ operation, headers }: Ingress, caller: Caller): string[] => {
  const forwarded = headersForUpstream(headers);
  const plain =
    caller.kind === "app_key" && !isModelCall(operation.kind) && !headers["anthropic-version"];
  return plain ? [...forwarded, "anthropic-version", anthropicVersion] : forwarded;
};

/** Under a list of models, the list of models is cut to it. */
const replyFor = (
  deps: LineDeps,
  { operation }: Ingress,
  caller: Caller,
  reply: CallerReply,
): CallerReply => {
  const restricted = deps.modelsRestricted || deps.directory.restrictsModels(caller);
  if (operation.kind !== "list_models" || !restricted) {
    return reply;
  }
  const callerAllows = deps.directory.allowsModel(caller);
  return new ModelListReply(reply, (model) => deps.relayAllows(model) && callerAllows(model));
};

const intentOf = (
  deps: LineDeps,
  ingress: Ingress,
  caller: Caller,
  { body, facts, sessionId, worst }: Asked,
): Intent => {
  const { operation, startedAt } = ingress;
  const bodyBytes = body?.length ?? 0;
  const charged = isModelCall(operation.kind) && facts !== null;
  return {
    id: ingress.id,
    startedAt,
    operation: operation.kind,
    callerKind: caller.kind,
    callerId: caller.id,
    userId: caller.userId,
    organizationId: caller.organizationId,
    sessionId,
    model: facts?.model ?? (operation.kind === "get_model" ? operation.model : null),
    stream: facts?.stream ?? false,
    bodyBytes,
    upstream: deps.upstream.name,
    holdMicroUsd: microUsd(worst.microUsd),
    fallback: charged ? estimate(deps, facts, bodyBytes, ingress) : unbilled,
  };
};

const nothing = microUsd(0);
const unbilled: Intent["fallback"] = {
  inputTokens: 0,
  outputTokens: 0,
  costMicroUsd: nothing,
  accuracy: "free",
};

/**
 * An answer in one piece may be written, and billed, to its end before we hear of it: of one that never comes all
 * of `max_tokens` is taken for used. A stream says what it has used from its first event on.
 */
const estimate = (
  deps: LineDeps,
  { model, stream, maxTokens }: BodyFacts,
  bodyBytes: number,
  ingress: Ingress,
): Intent["fallback"] => {
  const inputTokens = estimateInputTokens(bodyBytes);
  const outputTokens = stream ? 0 : (maxTokens ?? 0);
  const usage = { ...emptyUsage, inputTokens, outputTokens };
  const { costMicroUsd } = deps.prices.price({ model, usage, at: ingress.startedAt });
  const billed = deps.upstream.billing !== "subscription";
  return {
    inputTokens,
    outputTokens,
    costMicroUsd: billed ? costMicroUsd : nothing,
    accuracy: "estimated",
  };
};

/** Claude Code names its session; anything else in that header is not worth keeping. */
const sessionId = (header: string | string[] | undefined): string | null =>
  typeof header === "string" && /^[\x21-\x7e]{1,128}$/.test(header) ? header : null;
