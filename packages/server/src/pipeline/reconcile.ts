/** Our ledger beside what Anthropic says it billed: pure, so that every rule of it can be tested alone. */
import {
  type ReconciledAmounts,
  type ReconcileReport,
  reconciledAmounts,
} from "@claude-relay/contract";

/** What one side has of one day, one model and one kind of cost; several lines of the same add up. */
export type BilledLine = Readonly<{
  /** `2026-11-21`, UTC. */
  day: string;
  /** `tokens`, or what else is billed: `web_search`, `code_execution` … */
  costType: string;
  /** As the side names it; null for costs that belong to no model. */
  model: string | null;
  amounts: Partial<ReconciledAmounts>;
}>;

export type LedgerLine = BilledLine &
  Readonly<{
    requests: number;
    /** The ledger's own guess: kept apart, so that a guess is never taken for drift. */
    estimated: boolean;
  }>;

type Row = ReconcileReport["rows"][number];
type OwnAmounts = Row["ours"];
type Compared = Pick<Row, "ours" | "estimated" | "theirs" | "difference" | "relative">;

export type Reconciliation = Pick<ReconcileReport, "agrees" | "rows" | "totals">;

/**
 * Compares, by day, kind of cost and model. Models are told apart by their ids without a date.
 * @param tolerancePercent how far two figures may lie apart, of the larger one; money may differ by one
 *   micro-dollar a request beside that, because the ledger rounds each request up
 */
export const reconcile = (
  ours: readonly LedgerLine[],
  theirs: readonly BilledLine[],
  tolerancePercent: number,
): Reconciliation => {
  const pairs = new Map<string, Pair>();
  for (const line of ours) {
    pairOf(pairs, line).ours.push(line);
  }
  for (const line of theirs) {
    pairOf(pairs, line).theirs.push(line);
  }
  const rows = [...pairs.values()].map((pair) => rowOf(pair, tolerancePercent)).sort(inOrder);
  return {
    agrees: rows.every(({ verdict }) => verdict !== "drift"),
    totals: compare(ours, theirs),
    rows,
  };
};

type Key = Pick<BilledLine, "day" | "costType" | "model">;
type Pair = Key & { ours: LedgerLine[]; theirs: BilledLine[] };

const pairOf = (pairs: Map<string, Pair>, { day, costType, model: given }: Key): Pair => {
  const model = given === null ? null : undatedModel(given);
  const key = JSON.stringify([day, costType, model]);
  const pair = pairs.get(key) ?? { day, costType, model, ours: [], theirs: [] };
  pairs.set(key, pair);
  return pair;
};

/**
 * One name for `claude-haiku-4-5`, `claude-haiku-4-5-20251001` and `claude-haiku-4-5[1m]`, as prices have it:
 * a request whose answer never came is in the ledger under the name it was asked by.
 */
export const undatedModel = (model: string): string =>
  model.replace(/\[[^[\]]*\]$/, "").replace(/(?:[-@]\d{8}|-latest)$/, "");

const rowOf = ({ day, costType, model, ours, theirs }: Pair, tolerancePercent: number): Row => {
  const compared = compare(ours, theirs);
  return {
    day,
    cost_type: costType,
    model,
    verdict: verdictOf(compared, tolerancePercent),
    sides: ours.length === 0 ? "theirs" : theirs.length === 0 ? "ours" : "both",
    ...compared,
  };
};

const compare = (ours: readonly LedgerLine[], theirs: readonly BilledLine[]): Compared => {
  const own = ownSum(ours);
  const billed = sum(theirs);
  return {
    ours: own,
    estimated: ownSum(ours.filter(({ estimated }) => estimated)),
    theirs: billed,
    difference: eachAmount((name) => own[name] - billed[name]),
    relative: eachAmount((name) => relative(own[name], billed[name])),
  };
};

/** An estimate may be off by as much as itself; what lies beyond is drift, estimates or not. */
const verdictOf = (compared: Compared, tolerancePercent: number): Row["verdict"] => {
  const beyond = reconciledAmounts.map((name) => {
    const allowed = allowance(name, compared, tolerancePercent);
    return {
      excess: Math.abs(compared.difference[name]) - allowed,
      guess: compared.estimated[name],
    };
  });
  if (beyond.every(({ excess }) => excess <= 0)) {
    return "match";
  }
  return beyond.every(({ excess, guess }) => excess <= guess) ? "estimates" : "drift";
};

const allowance = (
  name: keyof ReconciledAmounts,
  { ours, theirs }: Compared,
  tolerancePercent: number,
): number => {
  const share = (Math.max(Math.abs(ours[name]), Math.abs(theirs[name])) * tolerancePercent) / 100;
  return name === "cost_micro_usd" ? Math.max(share, ours.requests) : share;
};

const relative = (own: number, billed: number): number | null => {
  if (own === billed) {
    return 0;
  }
  return billed === 0 ? null : (own - billed) / billed;
};

const ownSum = (lines: readonly LedgerLine[]): OwnAmounts => ({
  requests: lines.reduce((total, { requests }) => total + requests, 0),
  ...sum(lines),
});

const sum = (lines: readonly BilledLine[]): ReconciledAmounts =>
  eachAmount((name) => lines.reduce((total, { amounts }) => total + (amounts[name] ?? 0), 0));

const eachAmount = <Value>(
  value: (name: keyof ReconciledAmounts) => Value,
): Record<keyof ReconciledAmounts, Value> =>
  Object.fromEntries(reconciledAmounts.map((name) => [name, value(name)])) as Record<
    keyof ReconciledAmounts,
    Value
  >;

const inOrder = (a: Row, b: Row): number =>
  byText(a.day, b.day) ||
  byText(a.model ?? "\uffff", b.model ?? "\uffff") ||
  byText(a.cost_type, b.cost_type);

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
