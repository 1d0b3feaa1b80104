/** A Claude Code that plays what a test says, for the tests of what surrounds the real one. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { epochMs } from "@claude-relay/contract";
import type { Log } from "../../pipeline/log.ts";
import { withTimeLimit } from "../time-limit.ts";
import { type ClaudeCliOptions, createClaudeCli, defaultProcessLimits } from "./claude-cli.ts";
import { Received } from "./test-received.ts";

export const version = "2.1.329";

/** What a fake can do; `play` runs inside its process. */
export type Fake = Readonly<{
  /** Waits for a call, answering what prepares it. */
  call(): Promise<{ prompt: string; model: string; settings: Record<string, unknown> }>;
  say(line: object): void;
  raw(text: string): void;
  init(changes?: object): void;
  event(event: object, more?: object): void;
  /** A whole message of this text; without its end when `open`. */
  answer(text: string, open?: boolean): void;
  result(changes?: object): void;
  stderr: NodeJS.WriteStream;
  /** A child in the fake's own group that would live for a minute. */
  spawnSleeper(): Promise<number>;
  /** For ever. */
  hang(): Promise<never>;
}>;

type Play = (fake: Fake) => Promise<unknown>;

/** Runs in the fake's process: it must not use anything from outside itself. */
const fakeMain = async (play: Play, fakeVersion: string): Promise<void> => {
  const { createInterface } = await import("node:readline");
  const { spawn } = await import("node:child_process");
  const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  let settings: Record<string, unknown> = {};
  type Request = Readonly<{ subtype: string; settings?: Record<string, unknown> }>;
  const control = (line: Readonly<{ request_id: string; request: Request }>): void => {
    const { request_id, request } = line;
    const { subtype } = request;
    settings = request.settings ?? settings;
    const claude_code_version = fakeVersion;
    const response =
      subtype === "initialize" ? { commands: [], agents: [], claude_code_version } : {};
    say({ type: "control_response", response: { subtype: "success", request_id, response } });
  };
  const fake: Fake = {
    say,
    stderr: process.stderr,
    raw: (text) => void process.stdout.write(text),
    call: async () => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) {
          process.exit(0);
        }
        const line = JSON.parse(value);
        if (line.type === "user") {
          return { prompt: line.message.content, model: String(settings["model"]), settings };
        }
        control(line);
      }
    },
    init: (changes) =>
      say({
        type: "system",
        subtype: "init",
        model: settings["model"],
        claude_code_version: fakeVersion,
        apiKeySource: "ANTHROPIC_API_KEY",
        ...{ tools: [], mcp_servers: [], slash_commands: [], agents: [], skills: [], plugins: [] },
        ...changes,
      }),
    event: (event, more) => say({ type: "stream_event", event, parent_tool_use_id: null, ...more }),
    answer: (text, open = false) => {
      const usage = { input_tokens: 1, output_tokens: 1 };
      fake.event({ type: "message_start", message: { role: "assistant", content: [], usage } });
      fake.event({ type: "content_block_start", index: 0, content_block: { type: "text" } });
      fake.event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });
      if (!open) {
        fake.event({ type: "content_block_stop", index: 0 });
        fake.event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage });
        fake.event({ type: "message_stop" });
      }
    },
    result: (changes) => say({ type: "result", subtype: "success", is_error: true, ...changes }),
    spawnSleeper: async () => {
      const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], {
        stdio: "inherit",
      });
      return child.pid ?? 0;
    },
    hang: () => new Promise(() => setInterval(() => {}, 60_000)),
  };
  await play(fake);
};

type Context = Pick<TestContext, "after">;
const undos = new WeakMap<Context, (() => unknown)[]>();

/** Undone after the test, the last first: a directory goes when nothing writes to it any more. */
export const undoAfter = (t: Context, undo: () => unknown): void => {
  const known = undos.get(t);
  if (known !== undefined) {
    known.unshift(undo);
    return;
  }
  const all = [undo];
  undos.set(t, all);
  t.after(async () => {
    for (const each of all) {
      await each();
    }
  });
};

/** An empty directory, gone after the test. */
export const tempFolder = (t: Context): string => {
  const path = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
  undoAfter(t, () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
};

/** An executable that plays it. */
const writeFake = (folder: string, play: Play): string => {
  const path = join(folder, "claude.mjs");
  const source = `#!${process.execPath}\nawait (${fakeMain})(${play}, "${version}");\n`;
  writeFileSync(path, source);
  chmodSync(path, 0o755);
  return path;
};

export const body = (prompt: string, more: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      model: "claude-haiku-5-5",
      messages: [{ role: "user", content: prompt }],
      stream: true,
      ...more,
    }),
  );

/** An upstream over a fake, and what it logged; closed after the test, with nothing left behind. */
export const startFakeCli = (
  t: Context,
  play: Play,
  changes: Partial<ClaudeCliOptions> = {},
  timeLimitMs = 60_000,
) => {
  const folder = tempFolder(t);
  const tempRoot = tempFolder(t);
  const logged: string[] = [];
  const note = (fields: object, message: string): void =>
    void logged.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug() {}, info() {}, warn: note, error: note, isLevelEnabled: () => true };
  const cli = createClaudeCli({
    binary: writeFake(folder, play),
    version,
    credential: { kind: "api_key", key: "sk-ant-secret" },
    sandbox: { kind: "none", reason: "a fake needs none" },
    baseUrl: null,
    defaultModel: "claude-haiku-5-5",
    tempRoot,
    poolSize: 0,
    maxIdleMs: 600_000,
    concurrency: 4,
    queue: 4,
    limits: { ...defaultProcessLimits, killGraceMs: 200 },
    clock: { now: () => epochMs(Date.now()), monotonicMs: () => performance.now() },
    log,
    ...changes,
  });
  undoAfter(t, () => cli.close());
  const upstream = withTimeLimit(cli.upstream, timeLimitMs);
  const ask = (prompt: string, more: object = {}, callerKey = "") => {
    const received = new Received();
    const request = {
      operation: { kind: "messages", beta: false },
      headers: [],
      body: body(prompt, more),
      callerKey,
    } as const;
    const exchange = upstream.send(request, received);
    return { received, exchange };
  };
  return { cli, ask, logged, tempRoot };
};

/** Resolves when no such process runs any more; one that init has not yet collected runs no more. */
export const dead = async (pid: number): Promise<void> => {
  const state = (): string => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
    } catch {
      return "Z";
    }
  };
  while (state() !== "Z") {
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** Answers with the prompt. */
export const plain = async (fake: Fake) => {
  const { prompt } = await fake.call();
  fake.init();
  fake.answer(`You said:${prompt}`);
  fake.result({ is_error: false });
};

/** Resolves when no call holds a place any more. */
export const idle = async ({ status }: { status(): { running: number; queued: number } }) => {
  while (status().running + status().queued > 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** Nothing but the relay's own directory, and that without any run. */
export const assertNothingLeft = (tempRoot: string) => {
  const left = readdirSync(tempRoot).flatMap((base) => readdirSync(join(tempRoot, base)));
  assert.deepEqual(left, ["owner"]);
};
