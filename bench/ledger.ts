/**
 * What the ledger costs a request: `node bench/ledger.ts [requests] [concurrency] [fold delay ms]`.
 * Prints µs of CPU a request for the main thread and, from a separate run of the fold alone, for the worker.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { threadCpuUsage } from "node:process";
import { createStore } from "../packages/server/src/store/store.ts";
import { sampleIntent, sampleOutcome } from "../packages/server/src/store/testing/samples.ts";

const requests = Number(process.argv[2] ?? 100_000);
const concurrency = Number(process.argv[3] ?? 32);
const foldDelayMs = Number(process.argv[4] ?? 250);

const dataDir = mkdtempSync(join(tmpdir(), "claude-relay-bench-"));
const store = await createStore({ dataDir, foldDelayMs });

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const run = async (first: number, count: number): Promise<void> => {
  for (let next = first; next < first + count; next += concurrency) {
    const opened = [];
    for (let index = 0; index < concurrency; index++) {
      opened.push(store.ledger.open(sampleIntent(next + index)));
    }
    await Promise.all(opened);
    for (let index = 0; index < concurrency; index++) {
      store.ledger.close(sampleOutcome(next + index));
    }
    await turn();
  }
};

const micros = (usage: NodeJS.CpuUsage): number => usage.user + usage.system;
await run(0, 20_000);
await store.usage.summary({});
const before = { all: process.cpuUsage(), main: threadCpuUsage(), at: performance.now() };
await run(1_000_000, requests);
const main = micros(threadCpuUsage(before.main));
await store.usage.rows({ limit: 1 });
const all = micros(process.cpuUsage(before.all));
const seconds = (performance.now() - before.at) / 1_000;
const each = (total: number): string => (total / requests).toFixed(2);
console.log(
  `${requests} requests, ${concurrency} a turn, fold every ${foldDelayMs} ms, ${Math.round(requests / seconds)}/s: ` +
    `main ${each(main)} µs, fold and the rest ${each(all - main)} µs`,
);
const queryStart = performance.now();
await store.usage.summary({ groupBy: ["device", "day"] });
console.log(`summary over all rows: ${Math.round(performance.now() - queryStart)} ms`);
await store.close();
rmSync(dataDir, { recursive: true });
