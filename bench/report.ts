/** One table, the ratios, the goals: what a run found, as plain text. */

import { judge } from "./goals.ts";
import type { PeerId } from "./peers/peer.ts";
import type { Metric, Results, RowId } from "./results.ts";
import type { WorkloadId } from "./workloads.ts";

export type Row = Readonly<{ id: RowId; name: string; unavailable?: string }>;

type Column = Readonly<{ title: readonly [string, string]; cell: (row: RowId) => string }>;

/** Less than this share of its core: upstream or load set the pace, not the server. */
const SATURATED = 0.9;

/** The whole report. */
export function report(results: Results, rows: readonly Row[], facts: readonly string[]): string {
  return [
    ...facts,
    "",
    'Medians; CPU is of one core, in µs a request (a forwarded event under "event")',
    "",
    ...table(mainColumns(results), rows),
    "",
    "* its core was less than 90 % busy: the load, not the server, set the pace",
    "",
    ...beside(results, rows),
    ...ratios(results, rows, "bare-node", "bare Node"),
    ...ratios(results, rows, "nginx", "nginx"),
    ...ratios(results, rows.filter(isOurs), "claude-relay", "claude-relay"),
    ...goals(results),
    ...failures(results, rows),
  ].join("\n");
}

const WORK: readonly (readonly [WorkloadId, string])[] = [
  ["json", "JSON"],
  ["sse", "SSE"],
  ["streams", "event"],
  ["body200k", "200 KB"],
  ["body1m", "1 MiB"],
];

function mainColumns(results: Results): Column[] {
  const show = (workload: WorkloadId, metric: Metric, digits: number) => (row: RowId) =>
    number(results.median(row, workload, metric), digits);
  const rate = (workload: WorkloadId) => (row: RowId) => {
    const busy = results.median(row, workload, "busy");
    const mark = busy !== null && busy < SATURATED ? "*" : " ";
    return number(results.median(row, workload, "perSecond"), 0) + mark;
  };
  return [
    ...WORK.map(([id, name]): Column => ({ title: [name, "µs"], cell: show(id, "cpuUs", 1) })),
    { title: ["JSON", "req/s "], cell: rate("json") },
    { title: ["SSE", "req/s "], cell: rate("sse") },
    { title: ["JSON", "+p50 ms"], cell: show("json", "addedP50Ms", 2) },
    { title: ["JSON", "+p99 ms"], cell: show("json", "addedP99Ms", 2) },
    { title: ["SSE", "+p99 ms"], cell: show("sse", "addedP99Ms", 2) },
    { title: ["idle", "MiB"], cell: show("streams", "idleMib", 0) },
    { title: ["500 open", "MiB"], cell: show("streams", "openMib", 0) },
    { title: ["a stream", "KiB"], cell: show("streams", "kibPerStream", 1) },
  ];
}

function ratios(results: Results, rows: readonly Row[], base: PeerId, name: string): string[] {
  if (WORK.every(([id]) => results.median(base, id, "cpuUs") === null)) {
    return [];
  }
  const columns = WORK.map(
    ([id, title]): Column => ({
      title: [title, "×"],
      cell: (row) => number(results.ratio(row, base, id, "cpuUs"), 2),
    }),
  );
  const compared = rows.filter(({ id, unavailable }) => id !== "direct" && !unavailable);
  if (compared.length < 2) {
    return [];
  }
  return [
    `CPU as a multiple of ${name}'s (the median of each round's)`,
    "",
    ...table(columns, compared),
    "",
  ];
}

const isOurs = ({ id }: Row): boolean => id.startsWith("claude-relay");

/** What the databases of rows that have some used meanwhile. */
function beside(results: Results, rows: readonly Row[]): string[] {
  const using = rows.filter(
    ({ id }) =>
      results.median(id, "json", "redisUs") !== null ||
      results.median(id, "sse", "redisUs") !== null,
  );
  if (using.length === 0) {
    return [];
  }
  const column = (workload: "json" | "sse", metric: "redisUs" | "postgresUs"): Column => ({
    title: [workload.toUpperCase(), metric === "redisUs" ? "Redis" : "Postgres"],
    cell: (row) => number(results.median(row, workload, metric), 1),
  });
  const columns = (["json", "sse"] as const).flatMap((workload) => [
    column(workload, "redisUs"),
    column(workload, "postgresUs"),
  ]);
  return ["CPU of the databases beside it, in µs a request", "", ...table(columns, using), ""];
}

/** Each goal, judged with no budget set and, where that was measured, with one. */
function goals(results: Results): string[] {
  const word = (met: boolean | null): string =>
    met === null ? "–     " : met ? "met   " : "MISSED";
  const bare = judge(results);
  const held = judge(results, "claude-relay-budget");
  const hasHeld = held.some(({ met }) => met !== null);
  const width = Math.max(...bare.map(({ goal }) => goal.length));
  const lines = bare.map(({ goal, met, figure }, index) => {
    const own = `  ${word(met)}  ${goal.padEnd(width)}  ${figure}`;
    const other = held[index];
    return hasHeld && other ? `${own.padEnd(width + 26)}${word(other.met)}  ${other.figure}` : own;
  });
  const title = "Goals for claude-relay (docs: bench/README.md)";
  return [hasHeld ? `${title.padEnd(width + 26)}a budget set` : title, "", ...lines];
}

function failures(results: Results, rows: readonly Row[]): string[] {
  if (results.failures.length === 0) {
    return [];
  }
  const name = (id: RowId): string => rows.find((row) => row.id === id)?.name ?? id;
  const counts = new Map<string, number>();
  for (const { row, workload, why } of results.failures) {
    const line = `${name(row)}, ${workload}: ${why}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  const lines = [...counts].map(([line, count]) => `  ${count} × ${line}`);
  return ["", "Rounds that failed and are left out", "", ...lines];
}

function table(columns: readonly Column[], rows: readonly Row[]): string[] {
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const width = 9;
  const line = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(nameWidth)}${cells.map((cell) => cell.padStart(width)).join("")}`;
  const heads = [0, 1].map((part) =>
    line(
      "",
      columns.map(({ title }) => title[part] ?? ""),
    ),
  );
  const body = rows.map(({ id, name, unavailable }) =>
    unavailable
      ? `  ${name.padEnd(nameWidth)}  ${unavailable}`
      : line(
          name,
          columns.map(({ cell }) => cell(id)),
        ),
  );
  return [...heads, ...body];
}

function number(value: number | null, digits: number): string {
  return value === null ? "–" : value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, " ");
}
