/** What the tests of the claude-cli upstream share: the real Claude Code, its upstream, traps. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { epochMs } from "@claude-relay/contract";
import { promptLine } from "../../packages/server/src/upstreams/claude-cli/call-lines.ts";
import {
  type ClaudeCliOptions,
  createClaudeCli,
  defaultProcessLimits,
} from "../../packages/server/src/upstreams/claude-cli/claude-cli.ts";
import { planLaunch } from "../../packages/server/src/upstreams/claude-cli/launcher.ts";
import type { Locks } from "../../packages/server/src/upstreams/claude-cli/locks.ts";
import type { Sandbox } from "../../packages/server/src/upstreams/claude-cli/sandbox.ts";
import { Received } from "../../packages/server/src/upstreams/claude-cli/test-received.ts";
import {
  body,
  tempFolder,
  undoAfter,
} from "../../packages/server/src/upstreams/claude-cli/test-setup.ts";
import { createSimulator } from "../../packages/server/src/upstreams/simulator/server.ts";
import { withTimeLimit } from "../../packages/server/src/upstreams/time-limit.ts";

export { tempFolder };

export const binary = new URL(
  `../tools/node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`,
  import.meta.url,
).pathname;

export const skip = existsSync(binary)
  ? false
  : "the real Claude Code is not installed: npm ci --prefix test/tools --ignore-scripts";

const bwrap = "/usr/bin/bwrap";
export const skipSandbox =
  skip || (existsSync(bwrap) ? false : "bubblewrap is not installed: apt-get install bubblewrap");

export const sandboxes = {
  none: { kind: "none", reason: "the test runs without" },
  bwrap: { kind: "bwrap", bwrap },
} as const satisfies Record<string, Sandbox>;

export const apiKey = "sk-ant-api03-the-real-key";
export const model = "claude-haiku-5-5";

/** The simulator posing as Anthropic, keeping what it is sent. */
export const startAnthropic = async (t: TestContext) => {
  const simulator = createSimulator({ record: true });
  const url = await simulator.listen();
  undoAfter(t, () => simulator.close());
  const bodies = () => simulator.log.map(({ body }) => body.toString());
  return { url, simulator, bodies };
};

/** Every file below, by path. */
export const filesIn = (directory: string): readonly string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

type Run = Readonly<{ code: number | null; stdout: string; stderr: string }>;

/**
 * One run of the real Claude Code with the locks the test leaves on, outside any sandbox.
 * @param directory with `home`, `config`, `tmp` and `work` in it
 * @param until ends the run early when it holds
 */
export const runWithLocks = (
  given: Readonly<{
    directory: string;
    locks: Locks;
    url: string;
    prompt: string;
    model?: string;
    env?: Readonly<Record<string, string>>;
    until?: Promise<unknown>;
  }>,
): Promise<Run> => {
  const { directory, locks, url } = given;
  const places = Object.fromEntries(
    ["home", "config", "tmp", "work"].map((name) => [name, join(directory, name)]),
  ) as Record<"home" | "config" | "tmp" | "work", string>;
  for (const place of Object.values(places)) {
    mkdirSync(place, { recursive: true });
  }
  const launch = planLaunch(
    {
      binary,
      sandbox: sandboxes.none,
      credential: { kind: "api_key", key: apiKey },
      baseUrl: url,
      defaultModel: given.model ?? model,
    },
    { ...places, path: directory, remove: () => Promise.resolve() },
    locks,
  );
  return new Promise((resolve, reject) => {
    const child = spawn(launch.file, launch.arguments, {
      cwd: launch.directory,
      // Not a lock: keeps tests off the network.
      env: { ...launch.environment, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1", ...given.env },
      detached: true,
    });
    const said = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      said.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      said.stderr += chunk;
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...said }));
    child.stdin.end(promptLine({ model: "", system: "", maxTokens: null, ...given }, locks));
    void given.until?.then(() => process.kill(-(child.pid ?? 0), "SIGKILL"));
  });
};

/** The upstream as production builds it, over the real Claude Code. */
export const startClaudeCli = (
  t: Pick<TestContext, "after">,
  url: string,
  changes: Partial<ClaudeCliOptions> = {},
  timeLimitMs = 60_000,
) => {
  const tempRoot = changes.tempRoot ?? tempFolder(t);
  const logged: string[] = [];
  const note = (fields: object, message: string): void =>
    void logged.push(`${message} ${JSON.stringify(fields)}`);
  const options: ClaudeCliOptions = {
    binary,
    version: "2.1.329",
    credential: { kind: "api_key", key: apiKey },
    sandbox: sandboxes.none,
    baseUrl: url,
    defaultModel: model,
    tempRoot,
    poolSize: 0,
    maxIdleMs: 600_000,
    concurrency: 4,
    queue: 20,
    limits: defaultProcessLimits,
    clock: { now: () => epochMs(Date.now()), monotonicMs: () => performance.now() },
    log: { debug() {}, info() {}, warn: note, error: note, isLevelEnabled: () => true },
    ...changes,
  };
  const cli = createClaudeCli(options);
  undoAfter(t, () => cli.close());
  const upstream = withTimeLimit(cli.upstream, timeLimitMs);
  const ask = (prompt: string, more: object = {}) => {
    const received = new Received();
    const exchange = upstream.send(
      {
        operation: { kind: "messages", beta: false },
        headers: [],
        body: body(prompt, { model, ...more }),
      },
      received,
    );
    return { received, exchange };
  };
  return { cli, ask, logged, tempRoot, options };
};

/** The text an answer's events say. */
export const textOf = ({ text }: Received): string =>
  text
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice(6)))
    .map(({ delta }) => delta?.text ?? "")
    .join("");
