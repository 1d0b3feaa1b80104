/**
 * The line every request walks:
 *
 *   authenticate → admit → forward → meter → record
 *
 * A refusal is thrown at any stage before `forward` answers, and mapped to the wire once, by the door.
 */
import { type AllowsModel, admitDoor } from "./admit.ts";
import { type Asked, examine } from "./asked.ts";
import type { Authenticate } from "./authenticate.ts";
import { callerKey } from "./caller-key.ts";
import { anthropicVersion, headersForUpstream } from "./forward-headers.ts";
import { type ForwardingDeps, forward } from "./forwarding.ts";
import { demandGrant, type Granted, nothingUsed, refuseEarly } from "./hold.ts";
import { intentOf } from "./intent.ts";
import { logIncoming } from "./line-log.ts";
import { ModelListReply } from "./model-list-reply.ts";
import { doorOf, isModelCall } from "./operations.ts";
import type { Directory } from "./owner-ports.ts";
import type { Admitted, Caller, CallerReply, Ingress } from "./types.ts";

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
    await countRefused(deps, ingress, caller);
    throw error;
  }
  const { id } = ingress;
  const { budgets, worst, scopes } = asked;
  const hold = { id, limits, budgets, worst, scopes };
  const verdict = deps.admission.ask(hold, key, reply);
  const granted = demandGrant(
    verdict instanceof Promise ? await verdict : verdict,
    deps.clock,
    caller.kind,
  );
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

/**
 * A request that is turned down for what it says has used the caller's limit of requests all the same.
 * @throws Refusal when that limit is used up: then this is what it is told
 */
const countRefused = async (deps: LineDeps, { id }: Ingress, caller: Caller): Promise<void> => {
  const limits = deps.directory.requestLimitsOf(caller);
  const verdict = await deps.admission.ask({ id, limits, budgets: [], worst: nothingUsed });
  deps.admission.settle(id, nothingUsed);
  if (verdict.kind === "over_limit") {
    demandGrant(verdict, deps.clock, caller.kind);
  }
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
