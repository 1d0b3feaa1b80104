/** The promises of the design, judged by a run's figures. */

import type { PeerId } from "./peers/peer.ts";
import type { Metric, Results } from "./results.ts";
import type { WorkloadId } from "./workloads.ts";

export type Verdict = Readonly<{
  goal: string;
  /** Null: this run did not measure what the goal needs. */
  met: boolean | null;
  figure: string;
}>;

type Goal = Readonly<{
  goal: string;
  /** Our figure: of which workload, and compared with whose, if with anyone's. */
  workload: WorkloadId;
  metric: Metric;
  against?: PeerId;
  atMost?: number;
  below?: number;
  /** The other way round: how many times dearer the other one is. */
  timesCheaper?: number;
}>;

const cpu = (workload: WorkloadId, against: PeerId) =>
  ({ workload, metric: "cpuUs", against }) as const;

const GOALS: readonly Goal[] = [
  { goal: "small JSON ≤ 1.5 × bare Node", ...cpu("json", "bare-node"), atMost: 1.5 },
  { goal: "small SSE ≤ 1.3 × bare Node", ...cpu("sse", "bare-node"), atMost: 1.3 },
  { goal: "one event ≤ 1.2 × bare Node", ...cpu("streams", "bare-node"), atMost: 1.2 },
  { goal: "200 KB body < bare Node", ...cpu("body200k", "bare-node"), below: 1 },
  { goal: "small JSON ≤ 3 × nginx", ...cpu("json", "nginx"), atMost: 3 },
  { goal: "small SSE ≤ 3 × nginx", ...cpu("sse", "nginx"), atMost: 3 },
  { goal: "one event ≤ 3 × nginx", ...cpu("streams", "nginx"), atMost: 3 },
  { goal: "200 KB body ≤ 3 × nginx", ...cpu("body200k", "nginx"), atMost: 3 },
  { goal: "small JSON ≥ 10 × cheaper than Portkey", ...cpu("json", "portkey"), timesCheaper: 10 },
  { goal: "small SSE ≥ 10 × cheaper than Portkey", ...cpu("sse", "portkey"), timesCheaper: 10 },
  {
    goal: "200 KB body ≥ 10 × cheaper than Portkey",
    ...cpu("body200k", "portkey"),
    timesCheaper: 10,
  },
  {
    goal: "p99 added at half load ≤ 3 ms (JSON)",
    workload: "json",
    metric: "addedP99Ms",
    atMost: 3,
  },
  { goal: "p99 added at half load ≤ 3 ms (SSE)", workload: "sse", metric: "addedP99Ms", atMost: 3 },
  {
    goal: "memory of an open stream ≤ 50 KiB",
    workload: "streams",
    metric: "kibPerStream",
    atMost: 50,
  },
];

/** Every goal with the figure of a row of ours, met, missed or not measured. */
export function judge(results: Results, us: PeerId = "claude-relay"): Verdict[] {
  return GOALS.map((goal) => verdict(goal, results, us));
}

function verdict(goal: Goal, results: Results, us: PeerId): Verdict {
  const value = figure(goal, results, us);
  if (value === null) {
    return { goal: goal.goal, met: null, figure: "not measured" };
  }
  const unit = goal.against ? " ×" : goal.metric === "kibPerStream" ? " KiB" : " ms";
  return { goal: goal.goal, met: isMet(goal, value), figure: value.toFixed(2) + unit };
}

/** Our figure, alone or as a multiple; where we are to be cheaper, theirs as a multiple of ours. */
function figure(goal: Goal, results: Results, us: PeerId): number | null {
  const { workload, metric, against, timesCheaper } = goal;
  if (!against) {
    return results.median(us, workload, metric);
  }
  return timesCheaper === undefined
    ? results.ratio(us, against, workload, metric)
    : results.ratio(against, us, workload, metric);
}

function isMet(goal: Goal, value: number): boolean {
  if (goal.atMost !== undefined) {
    return value <= goal.atMost;
  }
  if (goal.below !== undefined) {
    return value < goal.below;
  }
  return value >= (goal.timesCheaper ?? Number.POSITIVE_INFINITY);
}
