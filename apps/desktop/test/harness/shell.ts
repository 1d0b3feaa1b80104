/** A shell without a window: starts the real main process, answers for a keychain, and calls as a window would. */
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { CallError } from "../../src/bridge/call-error.ts";
import type { Connection } from "../../src/bridge/connection.ts";
import type { AppEvent, Method, Params, Results } from "../../src/bridge/protocol.ts";
import type { FromMain, FromShell } from "../../src/bridge/wire.ts";

const entry = new URL("../../src/main/index.ts", import.meta.url).pathname;

/** What outlives a main process: a folder, and a keychain or none. */
export type Desk = Readonly<{ home: string; keychain: Map<string, string> | null }>;

/** Where the app keeps its own files. */
export const folderOf = ({ home }: Desk): string =>
  process.platform === "darwin"
    ? join(home, "Library", "Application Support", "claude-relay", "desktop")
    : join(home, ".config", "claude-relay", "desktop");

type Waiting = Readonly<{ resolve: (result: unknown) => void; reject: (error: Error) => void }>;

export class Shell {
  readonly process: ChildProcessWithoutNullStreams;
  /** Every line of standard output, as it was written. */
  readonly output: string[] = [];
  readonly events: AppEvent[] = [];
  /** Told each line, in order, before anybody else. */
  onLine: (line: FromMain) => void = () => undefined;
  /** What is asked of the keychain by such a name is left unanswered. */
  keychainHangs: RegExp | null = null;
  readonly #hanging: number[] = [];
  readonly #desk: Desk;
  readonly #news = new EventEmitter();
  readonly #calls = new Map<number, Waiting>();
  readonly #ended: Promise<number | null>;
  #stderr = "";
  #lastId = 0;

  constructor(desk: Desk, env: Readonly<Record<string, string>> = {}) {
    this.#desk = desk;
    this.#news.setMaxListeners(0);
    this.process = spawn(process.execPath, [entry], {
      cwd: desk.home,
      env: { PATH: process.env["PATH"] ?? "", HOME: desk.home, ...env },
      stdio: "pipe",
    });
    this.process.stderr.setEncoding("utf8").on("data", (chunk) => {
      this.#stderr += chunk;
      this.#news.emit("news");
    });
    this.process.stdin.on("error", () => undefined);
    createInterface({ input: this.process.stdout }).on("line", (line) => this.#take(line));
    this.#ended = once(this.process, "close").then(([code]) => {
      for (const { reject } of this.#calls.values()) {
        reject(new Error(`the main process ended (${code}):\n${this.#stderr}`));
      }
      this.#news.emit("news");
      return code as number | null;
    });
  }

  get folder(): string {
    return folderOf(this.#desk);
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The last that was told. */
  get connection(): Connection | undefined {
    return this.events.findLast((event) => event.type === "connection_changed")?.connection;
  }

  /** @throws CallError */
  call<M extends Method>(method: M, params: Params<M>): Promise<Results[M]> {
    return this.callRaw(method, params) as Promise<Results[M]>;
  }

  /** Whatever the window might send. */
  callRaw(method: string, params: unknown): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.send({ type: "call", id, method, params });
    });
  }

  send(line: FromShell): void {
    this.write(`${JSON.stringify(line)}\n`);
  }

  write(text: string): void {
    this.process.stdin.write(text);
  }

  /** Its user put the prompt away, for all that hangs: so does a keychain that stays locked. */
  dismissPrompt(): void {
    const message = "Couldn't access platform storage: SS error: prompt dismissed";
    for (const id of this.#hanging.splice(0)) {
      this.send({ type: "secret_fault", id, code: "failed", message });
    }
  }

  /** Resolves as soon as that is so; rejects when the main process ends before. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(`the main process ended before that:\n${this.#stderr}`);
      }
      await once(this.#news, "news");
    }
  }

  /** Resolves with the connection once the last that was told is of this kind. */
  async connected<Kind extends Connection["kind"]>(
    kind: Kind,
  ): Promise<Extract<Connection, { kind: Kind }>> {
    await this.until(() => this.connection?.kind === kind);
    return this.connection as Extract<Connection, { kind: Kind }>;
  }

  /** Closes its standard input, as a shell that ends does; gives the exit code. */
  async end(): Promise<number | null> {
    this.process.stdin.end();
    const code = await this.#ended;
    this.#assertSecrets();
    return code;
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.#ended;
  }

  /** What goes to the window, or to the log, holds no token and no key. */
  #assertSecrets(): void {
    const toldAll = this.output.filter((line) => !/^\{"type":"secret_/.test(line));
    const told = [...toldAll, this.#stderr].join("\n");
    for (const line of this.output.filter((one) => /^\{"type":"secret_set"/.test(one))) {
      const { value } = JSON.parse(line) as { value: string };
      for (const secret of [value, ...secretsIn(value)]) {
        assert.ok(secret.length < 20 || !told.includes(secret), "a secret was told");
      }
    }
  }

  #take(text: string): void {
    this.output.push(text);
    const line = JSON.parse(text) as FromMain;
    this.onLine(line);
    switch (line.type) {
      case "reply":
        this.#settle(line.id)?.resolve(line.result);
        break;
      case "fault":
        this.#settle(line.id)?.reject(new CallError(line.fault));
        break;
      case "event":
        this.events.push(line.event);
        break;
      case "secret_get":
      case "secret_set":
      case "secret_delete":
        this.#unlock(line);
        break;
      case "ready":
        break;
    }
    this.#news.emit("news");
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#calls.get(id);
    this.#calls.delete(id);
    return waiting;
  }

  #unlock(line: Extract<FromMain, { type: `secret_${string}` }>): void {
    const { keychain } = this.#desk;
    const { id, name } = line;
    if (this.keychainHangs?.test(name)) {
      this.#hanging.push(id);
      return;
    }
    if (keychain === null) {
      this.send({ type: "secret_fault", id, code: "no_keychain", message: "no D-Bus" });
      return;
    }
    if (line.type === "secret_set") {
      keychain.set(name, line.value);
    } else if (line.type === "secret_delete") {
      keychain.delete(name);
    }
    const value = line.type === "secret_get" ? (keychain.get(name) ?? null) : null;
    this.send({ type: "secret_reply", id, value });
  }
}

/** Starts the main process; at the end of the test it is gone. */
export const startShell = (
  t: TestContext,
  desk: Desk,
  env: Readonly<Record<string, string>> = {},
): Shell => {
  const shell = new Shell(desk, env);
  t.after(() => shell.kill());
  return shell;
};

/** The wrapper token that this keychain holds for a relay. */
export const tokenIn = ({ keychain }: Desk, relayUrl: string): string =>
  (JSON.parse(keychain?.get(`token ${relayUrl}`) ?? "{}") as { token: string }).token;

const secretsIn = (value: string): string[] => {
  try {
    const { token, seed } = JSON.parse(value) as { token?: string; seed?: string };
    return [token, seed].filter((one) => one !== undefined);
  } catch {
    return [];
  }
};
