/**
 * The side-by-side benchmark: one upstream, every server before it in turn, one table.
 * `npm run bench -- --quick` for a first look; bench/README.md says how to read it.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { watchDisturbance } from "./disturbance.ts";
import { Lab } from "./lab.ts";
import { type Contestant, measure } from "./measure.ts";
import { type Options, readOptions, USAGE } from "./options.ts";
import type { PeerDefinition } from "./peers/peer.ts";
import { choosePlacement, pinSelf } from "./placement.ts";
import { type Row, report } from "./report.ts";
import { Results } from "./results.ts";
import { verify } from "./verify.ts";

/** A run that has not ended by then has hung. */
const LONGEST_RUN_MS = 40 * 60_000;

if (process.argv[2] === "complete") {
  await import("./complete-latency.ts");
  process.exit();
}
const options = optionsOrExit();
const placement = choosePlacement();
const lab = new Lab(placement);
stopWithEverything();
pinSelf(placement.load);

const startedAt = performance.now();
const upstream = await startUpstream();
const upstreamPort = upstream.port;
const { contestants, rows } = await startPeers(options.peers);
const disturbance = watchDisturbance(placement, [upstream.pid, ...contestants.flatMap(pidsOn)]);
const results = new Results();
for (const workload of options.workloads) {
  await measure({ contestants, upstreamPort, effort: options.effort, results, say }, workload);
}
console.log(`\n${report(results, rows, facts())}`);
if (options.json) {
  mkdirSync(dirname(options.json), { recursive: true });
  writeFileSync(options.json, JSON.stringify({ facts: facts(), rows, results }));
}
process.exit(results.failures.length > 0 ? 1 : 0);

function optionsOrExit(): Options {
  if (process.platform !== "linux") {
    console.error("The benchmark reads /proc and pins processes to cores: it needs Linux.");
    process.exit(1);
  }
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(1);
  }
}

/** Nothing started here outlives this process, however it ends. */
function stopWithEverything(): void {
  process.on("exit", () => lab.abandon());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => process.exit(1));
  }
  setTimeout(() => {
    console.error("The benchmark took too long and was stopped.");
    process.exit(1);
  }, LONGEST_RUN_MS).unref();
}

async function startUpstream(): Promise<{ port: number; pid: number }> {
  const script = fileURLToPath(new URL("upstream.ts", import.meta.url));
  const running = lab.launch({
    name: "upstream",
    command: process.execPath,
    args: [script],
    core: placement.upstream,
    stdout: "file",
  });
  const port = await lab.until(running, async () => {
    const said = Number(readFileSync(`${running.folder}/stdout`, "utf8"));
    return said > 0 ? said : null;
  });
  return { port, pid: running.pid };
}

/** Starts and checks each server; one that cannot be measured keeps its row and says why. */
async function startPeers(peers: readonly PeerDefinition[]) {
  const contestants: Contestant[] = [];
  const rows: Row[] = [];
  for (const { id, name, start, rebuildsBodies = false, only } of peers) {
    say(`starting ${name}`);
    try {
      const peer = await start(lab, upstreamPort);
      if ("unavailable" in peer) {
        rows.push({ id, name, unavailable: peer.unavailable });
        continue;
      }
      await verify({ ...peer, rebuildsBodies });
      await peer.prove?.();
      const { processes = 1, beside = [] } = peer;
      contestants.push({ id, ...peer, processes, beside, ...(only && { only }) });
      rows.push({ id, name });
    } catch (error) {
      rows.push({ id, name, unavailable: `failed: ${(error as Error).message}` });
    }
  }
  rows.push({ id: "direct", name: "(no server)" });
  return { contestants, rows };
}

/** A contestant's processes on the watched cores; databases are mostly on one of their own. */
function pidsOn({ pid, beside }: Contestant): number[] {
  const besideThem = placement.databases === placement.upstream ? beside : [];
  return [pid, ...besideThem.map((one) => one.pid)];
}

function facts(): string[] {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const [cpu] = cpus();
  return [
    `claude-relay benchmark${options.quick ? " (quick)" : ""}: Node ${process.versions.node}, ${cpu?.model ?? "unknown processor"} × ${cpus().length}, ${seconds} s`,
    `Pinned: ${placement.note}`,
    ...[disturbance()].filter((line) => line !== null),
  ];
}

/** Progress goes to standard error, so that the report alone can be kept. */
function say(progress: string): void {
  console.error(`  ${progress}`);
}
