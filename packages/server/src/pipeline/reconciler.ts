import { type EpochMs, epochMs, type ReconcileReport } from "@claude-relay/contract";
import type { UsageGroup, UsageQueries } from "./ports.ts";
import { type BilledLine, type LedgerLine, reconcile } from "./reconcile.ts";
import { Refusal } from "./refusal.ts";
import type { Clock } from "./types.ts";

/** What upstream says it billed. Implemented by upstreams/anthropic-admin.ts. */
export interface BillingReports {
  /**
   * @param from midnight UTC, inclusive
   * @param to midnight UTC, exclusive
   * @throws Refusal when the reports cannot be had
   */
  read(from: EpochMs, to: EpochMs): Promise<readonly BilledLine[]>;
}

type Options = Readonly<{
  usage: Pick<UsageQueries, "summary">;
  /** Null without ANTHROPIC_ADMIN_KEY. */
  reports: BillingReports | null;
  /** The ledger's name for what `reports` are about. */
  upstream: string;
  webSearchMicroUsd: number;
  clock: Clock;
}>;

type Asked = Readonly<{ from: string; to: string; tolerancePercent: number }>;

/** @throws Refusal `conflict` without an admin key, `invalid_request` for a span that cannot be */
export type Reconciler = (asked: Asked) => Promise<ReconcileReport>;

const dayMs = 86_400_000;
const mostDays = 186;

/** Holds the ledger's days against upstream's own account of them. */
export const createReconciler =
  ({ usage, reports, upstream, webSearchMicroUsd, clock }: Options): Reconciler =>
  async ({ from, to, tolerancePercent }) => {
    const now = clock.now();
    const span = spanOf(from, to, now);
    if (reports === null) {
      throw new Refusal("conflict", noKey);
    }
    // Theirs first: what is billed while they are read is then on our side, and today's rows say so.
    const theirs = await reports.read(span.from, span.to);
    const summary = await usage.summary({
      ...span,
      upstream,
      groupBy: ["day", "answering_model", "accuracy"],
    });
    if (summary.truncated) {
      throw new Refusal("invalid_request", "The span has too many models and days: ask for less.");
    }
    const ours = summary.groups.flatMap((group) => ledgerLines(group, webSearchMicroUsd));
    const today = isoDay(now);
    return {
      from,
      to,
      upstream,
      asked_at: new Date(now).toISOString(),
      open_day: from <= today && today < to ? today : null,
      tolerance_percent: tolerancePercent,
      ...reconcile(ours, theirs, tolerancePercent),
    };
  };

const noKey =
  "Anthropic's own figures are read with an Admin API key, and ANTHROPIC_ADMIN_KEY is not set: make one in the Claude Console (Settings, Admin keys; it begins with sk-ant-admin), set it, and restart the relay. See docs/reconcile.md.";

const spanOf = (from: string, to: string, now: EpochMs): { from: EpochMs; to: EpochMs } => {
  const span = { from: midnight("from", from), to: midnight("to", to) };
  const days = (span.to - span.from) / dayMs;
  if (days < 1 || days > mostDays) {
    throw new Refusal(
      "invalid_request",
      `to must be 1 to ${mostDays} days after from: it names the first day that is left out.`,
    );
  }
  if (span.to > now - (now % dayMs) + dayMs) {
    throw new Refusal("invalid_request", `to must be tomorrow (UTC) at the latest.`);
  }
  return span;
};

const midnight = (field: string, day: string): EpochMs => {
  const at = Date.parse(`${day}T00:00:00Z`);
  // Date.parse takes 30 February for 2 March.
  if (Number.isNaN(at) || isoDay(at) !== day) {
    throw new Refusal("invalid_request", `${field} must be a day such as 2026-11-21 (UTC).`);
  }
  return epochMs(at);
};

const isoDay = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** A group of the ledger as lines: its tokens, and its web searches, whose cost upstream gives no model. */
const ledgerLines = (group: UsageGroup, webSearchMicroUsd: number): LedgerLine[] => {
  const { day, answering_model: model, accuracy } = group.group;
  if (accuracy === "free") {
    return [];
  }
  const key = { day: String(day), estimated: accuracy === "estimated" };
  const searches = group.web_search_requests;
  // An answer's cost holds at least that of its searches.
  const searchCost = Math.min(searches * webSearchMicroUsd, group.cost_micro_usd);
  const tokens: LedgerLine = {
    ...key,
    costType: "tokens",
    model: model === null ? "unknown" : String(model),
    requests: group.requests,
    amounts: {
      input_tokens: group.input_tokens,
      output_tokens: group.output_tokens,
      cache_read_input_tokens: group.cache_read_input_tokens,
      cache_creation_5m_input_tokens: group.cache_creation_5m_input_tokens,
      cache_creation_1h_input_tokens: group.cache_creation_1h_input_tokens,
      web_search_requests: searches,
      cost_micro_usd: group.cost_micro_usd - searchCost,
    },
  };
  if (searches === 0) {
    return [tokens];
  }
  const amounts = { cost_micro_usd: searchCost };
  return [tokens, { ...key, costType: "web_search", model: null, requests: 0, amounts }];
};
