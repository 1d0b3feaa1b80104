/** What a request asks for: the stage of the line that reads its body. */
import type { Amounts, Budget, Scope } from "./admission.ts";
import { type AllowsModel, admitModel, admitModels, type ModelAsker } from "./admit.ts";
import { scanBody } from "./body/body-scan.ts";
import type { ForwardingDeps } from "./forwarding.ts";
import { nothingUsed } from "./hold.ts";
import { isModelCall } from "./operations.ts";
import type { Directory } from "./owner-ports.ts";
import { tokensBeyondBytes } from "./price/unbounded-parts.ts";
import type { BodyFacts, Caller, Ingress } from "./types.ts";
import { estimateInputTokens } from "./usage/usage.ts";

type ExamineDeps = Pick<ForwardingDeps, "upstream" | "prices"> &
  Readonly<{ directory: Directory; relayAllows: AllowsModel }>;

/** What a request asks for, and the most it can use. */
export type Asked = Readonly<{
  body: Buffer | null;
  facts: BodyFacts | null;
  sessionId: string | null;
  budgets: readonly Budget[];
  scopes: readonly Scope[];
  worst: Amounts;
}>;

const nobody: readonly Scope[] = [];

/** Reads the deciding fields of a body, and checks every model it names. @throws Refusal */
export const examine = (
  deps: ExamineDeps,
  ingress: Ingress,
  caller: Caller,
  body: Buffer | null,
): Asked => {
  const { operation } = ingress;
  const asker = askerOf(deps.directory, caller);
  const facts =
    body === null
      ? null
      : scanBody(body, operation.kind === "count_tokens" ? "count_tokens" : "messages");
  if (facts !== null) {
    admitModels(facts, deps.relayAllows, asker);
  }
  if (operation.kind === "get_model") {
    admitModel("model", operation.model, deps.relayAllows, asker);
  }
  const session = sessionId(ingress.headers["x-claude-code-session-id"]);
  const charged = body !== null && facts !== null && isModelCall(operation.kind);
  const budgets = charged ? deps.directory.budgetsOf(caller, session) : [];
  const scopes = charged ? deps.directory.scopesOf(caller, session) : nobody;
  const worst = charged ? worstOf(deps, ingress, facts, body, budgets) : nothingUsed;
  return { body, facts, sessionId: session, budgets, scopes, worst };
};

const askerOf = (directory: Directory, caller: Caller): ModelAsker => ({
  kind: caller.kind,
  allows: directory.allowsModel(caller),
  deniedBy: (model) => directory.modelDeniedBy(caller, model),
});

/**
 * The most a request can use. Money and all tokens are a true bound wherever a budget depends on it; a rate of
 * input tokens is held at an estimate, since a bound of four times that would refuse what fits. For a budget that is set
 * only later, what a body has beyond its bytes (images, documents) is not searched for.
 */
const worstOf = (
  deps: ExamineDeps,
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

/** Claude Code names its session; anything else in that header is not worth keeping. */
const sessionId = (header: string | string[] | undefined): string | null =>
  typeof header === "string" && /^[\x21-\x7e]{1,128}$/.test(header) ? header : null;
