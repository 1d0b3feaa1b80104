import type { JournalLine } from "./journal-line.ts";
import type { RequestsTable } from "./schema.ts";

/** The columns of `requests` in the order the journal has their values: `o1` from its id, then `c1` from its status. */
export const ledgerColumns = [
  "id",
  "started_at",
  "operation",
  "caller_kind",
  "caller_id",
  "user_id",
  "organization_id",
  "session_id",
  "model",
  "stream",
  "body_bytes",
  "upstream",
  "hold_micro_usd",
  "status",
  "accuracy",
  "ending",
  "duration_ms",
  "first_byte_ms",
  "response_model",
  "price_flag",
  "error_type",
  "upstream_request_id",
  "cost_micro_usd",
  "input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_creation_5m_input_tokens",
  "cache_creation_1h_input_tokens",
  "web_search_requests",
  "web_fetch_requests",
  "service_tier",
  "speed",
  "inference_geo",
  "iterations",
  "finished_at",
] as const satisfies readonly (keyof RequestsTable)[];

const at = {
  intent: { startedAt: 2, hold: 13, inputTokens: 14, cost: 15, accuracy: 16 },
  progress: { cost: 2, usage: 3, iterations: 13 },
  outcome: { status: 2, durationMs: 5, iterations: 22 },
} as const;

/** The row of a request that ended: values for `ledgerColumns`. */
export const endedRow = (intent: JournalLine, outcome: JournalLine): unknown[] => {
  const row = intent.slice(1, at.intent.hold + 1);
  for (let index = at.outcome.status; index < at.outcome.iterations; index++) {
    row.push(outcome[index]);
  }
  row.push(json(outcome[at.outcome.iterations]));
  row.push(Number(intent[at.intent.startedAt]) + Number(outcome[at.outcome.durationMs]));
  return row;
};

/** The row of a request whose process died: the last progress if there was one, else the intent's fallback. */
export const diedRow = (intent: JournalLine, progress: JournalLine | null): unknown[] => {
  const accuracy = intent[at.intent.accuracy] === "free" ? "free" : "estimated";
  const unknown = [null, null, null, null, null, null];
  const row = [...intent.slice(1, at.intent.hold + 1), null, accuracy, "process_died", ...unknown];
  if (progress === null) {
    const usage = [intent[at.intent.inputTokens], 0, 0, 0, 0, 0, 0, null, null, null, null];
    return [...row, intent[at.intent.cost], ...usage, null];
  }
  const usage = progress.slice(at.progress.usage, at.progress.iterations);
  return [
    ...row,
    progress[at.progress.cost],
    ...usage,
    json(progress[at.progress.iterations]),
    null,
  ];
};

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
