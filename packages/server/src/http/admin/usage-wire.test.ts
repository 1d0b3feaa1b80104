import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { microUsd } from "@claude-relay/contract";
import type { UsageTotals } from "../../pipeline/ports.ts";
import { summaryColumns, summaryRows } from "./usage-wire.ts";

const totals: UsageTotals = {
  requests: 2,
  errors: 1,
  estimated: 0,
  input_tokens: 3,
  output_tokens: 4,
  cache_read_input_tokens: 5,
  cache_creation_5m_input_tokens: 6,
  cache_creation_1h_input_tokens: 7,
  web_search_requests: 8,
  web_fetch_requests: 9,
  cost_micro_usd: microUsd(10),
  list_price_micro_usd: microUsd(11),
  duration_ms: { p50: 11, p95: 12, p99: 13 },
};

describe("the sums as CSV", () => {
  it("have a column for everything in a row, in the row's order", () => {
    const group = { organization: "lab", upstream: "anthropic" };
    const groupBy = ["upstream", "organization"] as const;
    const summary = { totals, groups: [{ group, ...totals }], truncated: false };
    const [row] = summaryRows(summary, groupBy);
    assert.deepEqual(Object.keys(row ?? {}), summaryColumns(groupBy));
    assert.deepEqual(Object.values(row ?? {}), [
      "anthropic",
      "lab",
      ...[2, 1, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11],
      ...[11, 12, 13],
    ]);
  });

  it("are one row of totals when nothing is grouped, without times when there were none", () => {
    const summary = { totals: { ...totals, duration_ms: null }, groups: [], truncated: false };
    const [row, ...more] = summaryRows(summary, []);
    assert.deepEqual(more, []);
    assert.deepEqual(Object.keys(row ?? {}), summaryColumns([]));
    assert.equal(row?.["duration_ms_p99"], null);
  });
});
