/** What is asked of every server, and how much of it. */

import { sessionBody, shortBody } from "./bodies.ts";
import type { Question } from "./requests.ts";

export type WorkloadId = "streams" | "json" | "sse" | "body200k" | "body1m";

export type Workload = Readonly<{ id: WorkloadId; title: string }> &
  (
    | Readonly<{ kind: "requests"; question: Question; concurrency: number; latency: boolean }>
    | Readonly<{ kind: "streams"; question: Question; count: number; deltas: number }>
  );

/** How long and how often: `full` takes about a quarter of an hour, `quick` about four minutes. */
export type Effort = Readonly<{
  warmUpMs: number;
  rounds: number;
  roundMs: number;
  latencyRounds: number;
  latencyMs: number;
  /** Workloads whose latency is measured. */
  latencyOf: readonly WorkloadId[];
  streamRounds: number;
  deltas: number;
}>;

export const FULL: Effort = {
  // Long enough for V8 to have compiled what it will: with less, the larger server looks slower than it is.
  warmUpMs: 5_000,
  rounds: 7,
  roundMs: 1_000,
  latencyRounds: 5,
  latencyMs: 1_500,
  latencyOf: ["json", "sse"],
  streamRounds: 3,
  deltas: 100,
};

export const QUICK: Effort = {
  warmUpMs: 3_000,
  rounds: 3,
  roundMs: 700,
  latencyRounds: 3,
  latencyMs: 1_000,
  latencyOf: ["json"],
  streamRounds: 1,
  deltas: 40,
};

/** The workloads in the order they run: streams first, while each server's memory is still young. */
export function workloads(effort: Effort): readonly Workload[] {
  const small = (id: "json" | "sse", title: string): Workload => ({
    id,
    title,
    kind: "requests",
    question: { answer: id, body: shortBody(id === "sse") },
    concurrency: 16,
    latency: effort.latencyOf.includes(id),
  });
  const large = (id: WorkloadId, title: string, bytes: number): Workload => ({
    id,
    title,
    kind: "requests",
    question: { answer: "json", body: sessionBody(bytes) },
    concurrency: 8,
    latency: false,
  });
  return [
    {
      id: "streams",
      title: `500 open streams, ${effort.deltas} events each, one every 50 ms`,
      kind: "streams",
      question: { answer: `paced-${effort.deltas}`, body: shortBody(true) },
      count: 500,
      deltas: effort.deltas,
    },
    small("json", "small JSON answer"),
    small("sse", "small SSE answer of 11 events"),
    large("body200k", "200 KB request body", 200_000),
    large("body1m", "1 MiB request body", 1024 * 1024),
  ];
}
