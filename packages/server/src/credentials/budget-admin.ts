import { randomUUID } from "node:crypto";
import type { BudgetId } from "@claude-relay/contract";
import type { Admission } from "../pipeline/admission.ts";
import type { BudgetAdmin, GivenAmount, StandingBudget } from "../pipeline/owner-admin-ports.ts";
import type { BudgetRecord } from "../pipeline/owner-ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { createAdminRecord } from "./admin-record.ts";
import { ofOneSession } from "./directory.ts";
import type { OwnerAdminOptions } from "./owner-admin.ts";
import { checkedScope, type Scopes } from "./owner-checks.ts";

/** How budgets stand, in the order asked; and what forgets one that is removed. */
export type BudgetCounters = Pick<Admission, "states" | "forget">;

export const createBudgetAdmin = (
  options: OwnerAdminOptions,
  scopes: Scopes,
  counters: BudgetCounters,
): BudgetAdmin => {
  const { index, audit, clock } = options;
  const store = options.stores.budgets;
  const record = createAdminRecord(audit, clock);

  const get = (id: BudgetId): BudgetRecord => {
    const budget = index.budgets.get(id);
    if (budget === null) {
      throw missing(id);
    }
    return budget;
  };

  return {
    create: (given, amount, window, clientIp) =>
      index.alone(async () => {
        const scope = checkedScope(scopes, given);
        const terms = { ...amountOf(amount), window };
        const id = `bud_${randomUUID().replaceAll("-", "")}` as BudgetId;
        const budget = { id, scope, ...terms, createdAt: clock.now() };
        const kept = index.budgets.keep(await store.insert(budget));
        await record("budget.create", id, { scope, ...terms }, clientIp);
        return kept;
      }),
    list: async (query) => {
      const page = await store.list(query);
      return { data: await standing(page.data, counters), next_cursor: page.next_cursor };
    },
    get: async (id, sessionId) => {
      const budget = get(id);
      if (sessionId === null) {
        const [one] = await standing([budget], counters);
        return one ?? { record: budget, state: null };
      }
      if (!isOfEachSession(budget)) {
        throw new Refusal(
          "invalid_request",
          "session_id: only a budget of each session (scope session, scope_id *) has one: leave it out.",
        );
      }
      const [state] = await counters.states([ofOneSession(budget, sessionId)]);
      return { record: budget, state: state ?? null };
    },
    change: (id, amount, window, clientIp) =>
      index.alone(async () => {
        const before = get(id);
        const changes = {
          ...(isGiven(amount) && { limit: limitIn(before.unit, amount) }),
          ...(window !== undefined && { window }),
        };
        const changed = await store.replace({ ...before, ...changes });
        if (changed === null) {
          throw missing(id);
        }
        index.budgets.keep(changed);
        await record("budget.change", id, changes, clientIp);
        return changed;
      }),
    remove: (id, clientIp) =>
      index.alone(async () => {
        const { createdAt: _createdAt, id: _id, ...detail } = get(id);
        const before = get(id);
        await store.remove(id);
        index.budgets.forget(id);
        counters.forget(id);
        await record("budget.delete", id, detail, clientIp);
        return before;
      }),
  };
};

/** A budget of each session has no state of its own. */
const standing = async (
  records: readonly BudgetRecord[],
  counters: BudgetCounters,
): Promise<StandingBudget[]> => {
  const single = records.filter((record) => !isOfEachSession(record));
  const found = new Map(
    (await counters.states(single)).map((state) => [state.budget.id, state] as const),
  );
  return records.map((record) => ({ record, state: found.get(record.id) ?? null }));
};

const isOfEachSession = ({ scope }: BudgetRecord): boolean =>
  scope.kind === "session" && scope.id === "*";

const missing = (id: BudgetId): Refusal =>
  new Refusal("not_found", `No budget has the id "${id}". GET /admin/budgets lists them.`);

const isGiven = ({ microUsd, tokens }: GivenAmount): boolean =>
  microUsd !== undefined || tokens !== undefined;

/** Exactly one of the two. */
const amountOf = ({ microUsd, tokens }: GivenAmount): Pick<BudgetRecord, "unit" | "limit"> => {
  if (microUsd !== undefined && tokens !== undefined) {
    throw both();
  }
  if (microUsd !== undefined) {
    return { unit: "micro_usd", limit: microUsd };
  }
  if (tokens !== undefined) {
    return { unit: "tokens", limit: tokens };
  }
  throw new Refusal(
    "invalid_request",
    "limit_micro_usd: field required (or limit_tokens): how much may be spent.",
  );
};

const limitIn = (unit: BudgetRecord["unit"], amount: GivenAmount): number => {
  const given = amountOf(amount);
  if (given.unit !== unit) {
    const [field, words] =
      given.unit === "tokens"
        ? ["limit_tokens", "counts micro-dollars"]
        : ["limit_micro_usd", "counts tokens"];
    throw new Refusal(
      "invalid_request",
      `${field}: this budget ${words}. Make another one (POST /admin/budgets).`,
    );
  }
  return given.limit;
};

const both = (): Refusal =>
  new Refusal(
    "invalid_request",
    "limit_tokens: give either limit_micro_usd or limit_tokens, not both.",
  );
