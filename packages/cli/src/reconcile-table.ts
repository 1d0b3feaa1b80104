import { printable } from "./fault.ts";
import { isObject, type JsonObject } from "./json-object.ts";
import { type Cell, table } from "./table.ts";

const headings = [
  "DAY",
  "WHAT",
  "VERDICT",
  "REQUESTS",
  "ESTIMATED",
  "INPUT",
  "OUTPUT",
  "CACHE READ",
  "CACHE WRITE",
  "SEARCHES",
  "COST OURS",
  "THEIRS",
  "DIFFERENCE",
];

/**
 * GET /admin/reconcile as lines of a table; null when it is something else. Tokens and searches are shown as
 * the difference, ours less theirs: all zeros is what one hopes for.
 */
export const reconcileTable = (report: JsonObject): string[] | null => {
  const { rows, totals } = report;
  if (!Array.isArray(rows) || !rows.every(isObject) || !isObject(totals)) {
    return null;
  }
  const lines = rows.map((row) => [
    word(row["day"]),
    word(row["model"] ?? row["cost_type"]),
    word(row["verdict"]),
    ...figures(row),
  ]);
  return table(headings, [...lines, ["all", "", "", ...figures(totals)]]);
};

const figures = (compared: JsonObject): Cell[] => {
  const [ours, estimated] = [sums(compared["ours"]), sums(compared["estimated"])];
  const [theirs, difference] = [sums(compared["theirs"]), sums(compared["difference"])];
  return [
    ours("requests"),
    estimated("requests"),
    difference("input_tokens"),
    difference("output_tokens"),
    difference("cache_read_input_tokens"),
    difference("cache_creation_5m_input_tokens") + difference("cache_creation_1h_input_tokens"),
    difference("web_search_requests"),
    dollars(ours("cost_micro_usd")),
    dollars(theirs("cost_micro_usd")),
    `${dollars(difference("cost_micro_usd"))}${percent(compared["relative"])}`,
  ];
};

const sums =
  (amounts: unknown) =>
  (name: string): number => {
    const value = isObject(amounts) ? amounts[name] : undefined;
    return typeof value === "number" ? value : 0;
  };

const dollars = (microUsd: number): string =>
  `${microUsd < 0 ? "-" : ""}$${(Math.abs(microUsd) / 1_000_000).toFixed(6)}`;

const percent = (relative: unknown): string => {
  const share = isObject(relative) ? relative["cost_micro_usd"] : null;
  return typeof share === "number" && share !== 0 ? ` (${(share * 100).toFixed(2)} %)` : "";
};

const word = (value: unknown): string => (typeof value === "string" ? printable(value) : "");
