import type { EpochMs } from "@claude-relay/contract";
import type { Amounts, Ask, Budget, Limit } from "../../pipeline/admission.ts";
import { amountOf, heldOf, isWhole } from "../amounts.ts";
import { scopeName } from "../scope-name.ts";
import { type CounterWindow, counterAt } from "./counter-window.ts";

export type Args = (string | number)[];

/** More than any budget: a worst case that is no whole amount fits nowhere. */
const tooMuch = "1e300";

/** A limit's name in Redis. A changed limit is another one, but a day's count is the same whatever its limit. */
export const limitName = (limit: Limit): string => {
  switch (limit.kind) {
    case "requests":
    case "input_tokens":
    case "output_tokens":
      return `${limit.kind}:${limit.max}:${limit.windowMs}:${scopeName(limit.scope)}`;
    case "requests_per_day":
    case "concurrency":
      return scopeName(limit.scope);
  }
};

const limitLetters = {
  requests: "r",
  input_tokens: "i",
  output_tokens: "o",
  requests_per_day: "d",
  concurrency: "c",
} as const satisfies Record<Limit["kind"], string>;

const unitLetter = (unit: Budget["unit"]): string => (unit === "tokens" ? "t" : "m");

const whole = (amount: number): number => (isWhole(amount) ? amount : 0);

const wanted = (budget: Budget, worst: Amounts): string | number => {
  const amount = amountOf(budget.unit, worst);
  return isWhole(amount) ? amount : tooMuch;
};

/** The arguments of the script `ask`. */
export const askArgs = (
  epoch: string,
  instance: string,
  { id, limits, budgets, worst, scopes }: Ask,
  windows: readonly CounterWindow[],
): Args => {
  const args: Args = [
    epoch,
    instance,
    id,
    whole(worst.microUsd),
    whole(worst.tokens),
    limits.length,
    budgets.length,
  ];
  for (const limit of limits) {
    const windowMs = "windowMs" in limit ? limit.windowMs : 0;
    args.push(limitLetters[limit.kind], limitName(limit), limit.max, windowMs);
    args.push(heldOf(limit, worst));
  }
  for (const [index, budget] of budgets.entries()) {
    const { name, from, to, bucketMs } = windows[index] ?? counterAt(budget, 0 as EpochMs);
    args.push(budget.id, name, from, to, bucketMs, unitLetter(budget.unit), budget.limit);
    args.push(wanted(budget, worst));
  }
  pushScopes(args, scopes);
  return args;
};

const pushScopes = (args: Args, scopes: Ask["scopes"]): void => {
  for (const scope of scopes ?? []) {
    args.push(scopeName(scope));
  }
};

const used = (amount: number): string | number => (isWhole(amount) ? amount : "-");

const usedArgs = (amounts: Amounts | null): Args =>
  amounts === null
    ? [0, 0, 0, 0, 1]
    : [
        used(amounts.microUsd),
        used(amounts.inputTokens),
        used(amounts.outputTokens),
        used(amounts.tokens),
        0,
      ];

/** The arguments of the script `settle`. */
export const settleArgs = (epoch: string, id: string, amounts: Amounts | null): Args => [
  epoch,
  id,
  ...usedArgs(amounts),
];

/** How a request Redis is told of stands: still open, or over with what it used. */
export type Told = "open" | Readonly<{ used: Amounts | null }>;

/** The arguments of the script `tell`. */
export const tellArgs = (
  epoch: string,
  instance: string,
  { id, limits, budgets, worst, scopes }: Ask,
  at: EpochMs,
  told: Told,
): Args => {
  const args: Args = [epoch, instance, id, at, told === "open" ? "open" : "over"];
  args.push(whole(worst.microUsd), whole(worst.tokens));
  args.push(...usedArgs(told === "open" ? null : told.used), budgets.length);
  for (const budget of budgets) {
    const { name, to, bucketMs } = counterAt(budget, at);
    const held = whole(amountOf(budget.unit, worst));
    args.push(budget.id, name, to, bucketMs, unitLetter(budget.unit), held);
  }
  const places = limits.filter(({ kind }) => kind === "concurrency");
  args.push(places.length, ...places.map(limitName));
  pushScopes(args, scopes);
  return args;
};

/** The arguments of the script `fill`, without what the ledger says. */
export const fillArgs = (
  epoch: string,
  budget: Budget,
  window: CounterWindow,
  leftOut: readonly string[],
): Args => [...counterArgs(epoch, budget, window), leftOut.length, ...leftOut];

/** Until all instances have heard of a budget for certain, clocks that differ included. */
const newsMs = 10 * 60_000;

/** The arguments of the script `own`. */
export const ownArgs = (epoch: string, budget: Budget, window: CounterWindow): Args => [
  ...counterArgs(epoch, budget, window),
  scopeName(budget.scope),
  budget.createdAt === undefined ? "+inf" : budget.createdAt + newsMs,
];

const counterArgs = (
  epoch: string,
  budget: Budget,
  { name, from, to, bucketMs }: CounterWindow,
): Args => [epoch, name, budget.id, from, to, bucketMs, unitLetter(budget.unit)];
