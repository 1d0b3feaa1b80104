/** Interleaved rounds: A B C D E, A B C D E, … so that a slow minute of the machine hits all alike. */

import { setTimeout as sleep } from "node:timers/promises";
import { cpuMs, rssKib } from "./cpu.ts";
import { type Aim, closedLoop, openLoop } from "./load.ts";
import { type Beside, CALLER_KEY, type PeerId } from "./peers/peer.ts";
import { requestBytes } from "./requests.ts";
import { quantile, type Results } from "./results.ts";
import { pacedStreams } from "./streams.ts";
import type { Effort, Workload, WorkloadId } from "./workloads.ts";

export type Contestant = Readonly<{
  id: PeerId;
  port: number;
  pid: number;
  headers: Readonly<Record<string, string>>;
  processes: number;
  /** Measured with these workloads only; left out: with all. */
  only?: readonly WorkloadId[];
  beside: readonly Beside[];
}>;

export type Run = Readonly<{
  contestants: readonly Contestant[];
  upstreamPort: number;
  effort: Effort;
  results: Results;
  say: (progress: string) => void;
}>;

type RequestWorkload = Extract<Workload, { kind: "requests" }>;
type StreamWorkload = Extract<Workload, { kind: "streams" }>;

/** Beyond this rate the load generator's own queueing would show in the latency. */
const MAX_LATENCY_RATE = 30_000;

/** A server that answered fewer while warming up is warmed up once more. */
const WARM_REQUESTS = 20_000;

/** Enough answers for the just-in-time compiler before memory and events are measured. */
const STREAM_WARM_UP_MS = 600;

/** Measures one workload on every contestant. A failure costs a cell, not the run. */
export async function measure(run: Run, workload: Workload): Promise<void> {
  if (workload.kind === "streams") {
    return measureStreams(run, workload);
  }
  const { effort } = run;
  await everyone(run, workload, (contestant) => warmUp(run, workload, contestant));
  for (let round = 0; round < effort.rounds; round++) {
    run.say(`${workload.title}: round ${round + 1} of ${effort.rounds}`);
    await measureDirect(run, workload);
    await everyone(run, workload, (contestant) => measureLoad(run, workload, contestant));
  }
  for (let round = 0; workload.latency && round < effort.latencyRounds; round++) {
    run.say(`${workload.title}: latency at half load, ${round + 1} of ${effort.latencyRounds}`);
    const random = seededRandom(round + 1);
    await everyone(run, workload, (one) => measureLatency(run, workload, one, random));
  }
}

/**
 * Lets the just-in-time compiler finish: so long for each process, each of which has its own, and twice so
 * long for a server short of requests.
 */
async function warmUp(run: Run, workload: RequestWorkload, one: Contestant): Promise<void> {
  const settings = { concurrency: workload.concurrency, ms: run.effort.warmUpMs * one.processes };
  const { requests } = await closedLoop(aimAt(one, workload), settings);
  if (requests < WARM_REQUESTS * one.processes) {
    await closedLoop(aimAt(one, workload), settings);
  }
}

/** CPU and throughput with callers that never pause. */
async function measureLoad(run: Run, workload: RequestWorkload, one: Contestant): Promise<void> {
  const settings = { concurrency: workload.concurrency, ms: run.effort.roundMs };
  const before = cpuMs(one.pid);
  const besideBefore = one.beside.map(({ pid }) => cpuMs(pid));
  const { requests, ms } = await closedLoop(aimAt(one, workload), settings);
  const used = cpuMs(one.pid) - before;
  for (const [index, { metric, pid }] of one.beside.entries()) {
    const usedBeside = cpuMs(pid) - (besideBefore[index] ?? 0);
    run.results.add(one.id, workload.id, metric, (usedBeside * 1000) / requests);
  }
  run.results.add(one.id, workload.id, "cpuUs", (used * 1000) / requests);
  run.results.add(one.id, workload.id, "perSecond", (requests * 1000) / ms);
  run.results.add(one.id, workload.id, "busy", used / ms);
}

/** What upstream and load generator can do with nothing between them. */
async function measureDirect(run: Run, workload: RequestWorkload): Promise<void> {
  const settings = { concurrency: workload.concurrency, ms: run.effort.roundMs };
  const { requests, ms } = await closedLoop(direct(run, workload), settings);
  run.results.add("direct", workload.id, "perSecond", (requests * 1000) / ms);
}

/** Latency at half of what this server can do, less the latency of the upstream itself at that rate. */
async function measureLatency(
  run: Run,
  workload: RequestWorkload,
  one: Contestant,
  random: () => number,
): Promise<void> {
  const most = run.results.median(one.id, workload.id, "perSecond");
  if (most === null) {
    return;
  }
  const perSecond = Math.min(most / 2, MAX_LATENCY_RATE);
  const settings = { perSecond, ms: run.effort.latencyMs, random };
  const without = await openLoop(direct(run, workload), settings);
  const through = await openLoop(aimAt(one, workload), settings);
  const added = (q: number): number => quantile(through, q) - quantile(without, q);
  run.results.add(one.id, workload.id, "addedP50Ms", added(0.5));
  run.results.add(one.id, workload.id, "addedP99Ms", added(0.99));
  run.results.add(one.id, workload.id, "latencyPerSecond", perSecond);
}

async function measureStreams(run: Run, workload: StreamWorkload): Promise<void> {
  const { effort, results } = run;
  await everyone(run, workload, async (one) => {
    const question = { ...workload.question, answer: "sse" };
    const request = requestBytes(one.port, question, one.headers);
    await closedLoop({ port: one.port, request }, { concurrency: 32, ms: STREAM_WARM_UP_MS });
  });
  for (let round = 0; round < effort.streamRounds; round++) {
    run.say(`${workload.title}: round ${round + 1} of ${effort.streamRounds}`);
    await everyone(run, workload, async (one) => {
      const probe = { cpuMs: () => cpuMs(one.pid), rssKib: () => rssKib(one.pid) };
      const found = await pacedStreams(aimAt(one, workload), { ...workload, probe });
      results.add(one.id, workload.id, "cpuUs", (found.cpuMs * 1000) / found.events);
      results.add(one.id, workload.id, "perSecond", (found.events * 1000) / found.windowMs);
      results.add(one.id, workload.id, "busy", found.cpuMs / found.windowMs);
      // Later rounds find memory that an earlier one left behind, and would flatter the server.
      if (round > 0) {
        return;
      }
      const growth = found.rssPeakKib - found.rssBeforeKib;
      results.add(one.id, workload.id, "kibPerStream", growth / workload.count);
      results.add(one.id, workload.id, "idleMib", found.rssBeforeKib / 1024);
      results.add(one.id, workload.id, "openMib", found.rssPeakKib / 1024);
    });
  }
}

/** Runs a step for each contestant in turn; one that fails is noted and left out of that round. */
async function everyone(
  run: Run,
  workload: Workload,
  step: (contestant: Contestant) => Promise<void>,
): Promise<void> {
  const { contestants } = run;
  for (const contestant of contestants.filter(({ only }) => !only || only.includes(workload.id))) {
    try {
      await step(contestant);
    } catch (error) {
      run.results.fail(contestant.id, workload.id, error);
    }
    // Let what the server put off (journals, garbage) not be paid by the next one.
    await sleep(50);
  }
}

function aimAt(one: Contestant, workload: Workload): Aim {
  return { port: one.port, request: requestBytes(one.port, workload.question, one.headers) };
}

function direct(run: Run, workload: Workload): Aim {
  const port = run.upstreamPort;
  return { port, request: requestBytes(port, workload.question, { "x-api-key": CALLER_KEY }) };
}

/** Mulberry32: the same arrivals in every run. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
