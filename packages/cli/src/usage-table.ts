import { printable } from "./fault.ts";
import { isObject } from "./json-object.ts";
import { type Cell, table } from "./table.ts";

const headings = [
  "MODEL",
  "REQUESTS",
  "ERRORS",
  "INPUT",
  "OUTPUT",
  "CACHE READ",
  "CACHE WRITE",
  "COST",
];

/** GET /admin/usage?group_by=model as lines of a table, dearest model first; null when it is something else. */
export const usageTable = (report: Record<string, unknown>): string[] | null => {
  const { groups, totals } = report;
  if (!Array.isArray(groups) || !groups.every(isObject) || !isObject(totals)) {
    return null;
  }
  const rows = groups
    .toSorted((a, b) => count(b, "cost_micro_usd") - count(a, "cost_micro_usd"))
    .map((group) => row(modelOf(group), group));
  return table(headings, [...rows, row("all", totals)]);
};

const modelOf = ({ group }: Record<string, unknown>): string => {
  const model = isObject(group) ? group["model"] : null;
  return typeof model === "string" ? printable(model) : "(no model)";
};

const row = (name: string, sums: Record<string, unknown>): Cell[] => [
  name,
  count(sums, "requests"),
  count(sums, "errors"),
  count(sums, "input_tokens"),
  count(sums, "output_tokens"),
  count(sums, "cache_read_input_tokens"),
  count(sums, "cache_creation_5m_input_tokens") + count(sums, "cache_creation_1h_input_tokens"),
  dollars(count(sums, "cost_micro_usd")),
];

/** To a hundredth of a cent; what is less is not nothing. */
const dollars = (microUsd: number): string =>
  microUsd > 0 && microUsd < 100 ? "<$0.0001" : `$${(microUsd / 1_000_000).toFixed(4)}`;

const count = (sums: Record<string, unknown>, name: string): number => {
  const value = sums[name];
  return typeof value === "number" ? value : 0;
};
