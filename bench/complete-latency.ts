/**
 * What Claude Code as upstream adds to the model's own time: a call with waiting processes, without, and a bare
 * `claude -p`, all against the same simulator, in interleaved rounds.
 *
 *   npm run bench -- complete [rounds]
 *
 * Needs the real Claude Code: npm ci --prefix test/tools --ignore-scripts
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { epochMs } from "@claude-relay/contract";
import {
  createClaudeCli,
  defaultProcessLimits,
} from "../packages/server/src/upstreams/claude-cli/claude-cli.ts";
import { probeClaudeCli } from "../packages/server/src/upstreams/claude-cli/probe.ts";
import { createSimulator } from "../packages/server/src/upstreams/simulator/server.ts";

const binary = new URL(
  `../test/tools/node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`,
  import.meta.url,
).pathname;
const rounds = Number(process.argv[3] ?? 20);
const model = "claude-haiku-5-5";
const apiKey = "sk-ant-bench";
const goalMs = 200;

if (!Number.isSafeInteger(rounds) || rounds < 1) {
  console.error("npm run bench -- complete [rounds]: rounds is a whole number from 1");
  process.exit(1);
}
if (!existsSync(binary)) {
  console.error("The real Claude Code is missing: npm ci --prefix test/tools --ignore-scripts");
  process.exit(1);
}

const quiet = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false };
const simulator = createSimulator();
const url = await simulator.listen();
const tempRoot = mkdtempSync(join(tmpdir(), "claude-relay-bench-"));
const probe = await probeClaudeCli({
  binary,
  apiKey,
  env: { PATH: process.env["PATH"] },
  tempRoot,
});
if (!probe.found || probe.credential === null) {
  throw new Error(probe.found ? "Claude Code is not logged in" : probe.reason);
}
const { credential } = probe;

const upstreamWith = (poolSize: number, sandboxed: boolean) =>
  createClaudeCli({
    ...probe,
    credential,
    ...(sandboxed ? {} : { sandbox: { kind: "none", reason: "for comparison" } as const }),
    baseUrl: url,
    defaultModel: model,
    tempRoot,
    poolSize,
    maxIdleMs: 600_000,
    concurrency: 4,
    queue: 0,
    limits: defaultProcessLimits,
    clock: { now: () => epochMs(Date.now()), monotonicMs: () => performance.now() },
    log: quiet,
  });

type Cli = ReturnType<typeof upstreamWith>;
type Times = Readonly<{ firstMs: number; wholeMs: number }>;

const body = (extra: object) =>
  JSON.stringify({ model, messages: [{ role: "user", content: "hello" }], stream: true, ...extra });

const call = (cli: Cli): Promise<Times> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    let firstMs = 0;
    cli.upstream.send(
      {
        operation: { kind: "messages", beta: false },
        headers: [],
        body: Buffer.from(body({ system: "be brief" })),
      },
      {
        onStart: () => {
          firstMs = performance.now() - started;
        },
        onData: () => {},
        onEnd: () => resolve({ firstMs, wholeMs: performance.now() - started }),
        onFailure: (failure) => reject(new Error(JSON.stringify(failure))),
      },
    );
  });

/** Waits until the pool is full and nothing runs, as between two calls of an ordinary day. */
const settle = async (cli: Cli, warm: number): Promise<void> => {
  while (cli.status().warm < warm || cli.status().running > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await new Promise((resolve) => setTimeout(resolve, 700));
};

const bare = (): Promise<Times> =>
  new Promise((resolve, reject) => {
    const home = mkdtempSync(join(tempRoot, "bare-"));
    mkdirSync(join(home, "work"));
    const started = performance.now();
    let firstMs = 0;
    const child = spawn(binary, ["-p", "--model", model], {
      cwd: join(home, "work"),
      env: {
        PATH: process.env["PATH"],
        HOME: home,
        ANTHROPIC_API_KEY: apiKey,
        ANTHROPIC_BASE_URL: url,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.stdin.end("hello");
    child.stdout.once("data", () => {
      firstMs = performance.now() - started;
    });
    child.once("error", reject);
    child.once("close", (code) => {
      rmSync(home, { recursive: true, force: true });
      const wholeMs = performance.now() - started;
      return code === 0 ? resolve({ firstMs, wholeMs }) : reject(new Error(`exit ${code}`));
    });
  });

const direct = async (): Promise<Times> => {
  const started = performance.now();
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": apiKey, "anthropic-version": "2023-06-01" },
    body: body({ max_tokens: 1000 }),
  });
  const firstMs = performance.now() - started;
  await response.text();
  return { firstMs, wholeMs: performance.now() - started };
};

const [pooled, pooledPlain, cold] = [
  upstreamWith(1, true),
  upstreamWith(1, false),
  upstreamWith(0, true),
];
const ways: Readonly<Record<string, () => Promise<Times>>> = {
  "the model alone": direct,
  [`pool, ${probe.sandbox.kind}`]: async () => {
    await settle(pooled, 1);
    return call(pooled);
  },
  "pool, no sandbox": async () => {
    await settle(pooledPlain, 1);
    return call(pooledPlain);
  },
  [`no pool, ${probe.sandbox.kind}`]: () => call(cold),
  "bare claude -p": bare,
};
const taken: Record<string, Times[]> = {};
for (let round = 0; round <= rounds; round++) {
  for (const [way, run] of Object.entries(ways)) {
    const times = await run();
    // The first round warms the disk cache.
    if (round > 0) {
      taken[way] = [...(taken[way] ?? []), times];
    }
  }
}
await Promise.all([pooled.close(), pooledPlain.close(), cold.close(), simulator.close()]);
rmSync(tempRoot, { recursive: true, force: true });

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0;
const own = quantile(taken["the model alone"]?.map(({ wholeMs }) => wholeMs) ?? [], 0.5);
console.log(
  `Claude Code ${probe.version}, ${rounds} rounds, ms over the model's own ${own.toFixed(1)}\n`,
);
console.log(`${"".padEnd(22)}first p50   whole p50   whole p95`);
for (const [way, times] of Object.entries(taken).slice(1)) {
  const whole = times.map(({ wholeMs }) => wholeMs - own);
  const first = times.map(({ firstMs }) => firstMs - own);
  const shown = [quantile(first, 0.5), quantile(whole, 0.5), quantile(whole, 0.95)];
  console.log(way.padEnd(22) + shown.map((ms) => ms.toFixed(0).padStart(9)).join("   "));
}
const reached = quantile(
  taken[`pool, ${probe.sandbox.kind}`]?.map(({ wholeMs }) => wholeMs - own) ?? [],
  0.5,
);
console.log(`\ngoal: under ${goalMs} ms with the pool: ${reached < goalMs ? "reached" : "MISSED"}`);
