/** The main process behind its lines: one app at a time, from `ready` to an orderly end. */
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { configFolder } from "@claude-relay/client/device";
import type { FromMain, FromShell } from "../bridge/wire.ts";
import { type App, startApp } from "./app.ts";
import { type AppLock, acquireAppLock } from "./app-lock.ts";
import type { ChatPart, ChatPartOptions } from "./chat-port.ts";
import { keychainOrMemory, ShellKeychain } from "./shell/shell-keychain.ts";
import { openShellLines, type ShellLines } from "./shell/shell-lines.ts";
import { systemClock, systemRandom, systemTimers } from "./system-ports.ts";

type Call = Extract<FromShell, { type: "call" }>;

type Options = Readonly<{
  input: Readable;
  output: Writable;
  environment: Readonly<Record<string, string | undefined>>;
  appVersion: string;
  deviceName: string;
  createChat: (options: ChatPartOptions) => ChatPart;
  log: (line: string) => void;
  /** Told when the shell is gone: then it is time for `stop`. */
  onEnd: () => void;
}>;

/** Whoever starts the app a second time is told so after this long, in milliseconds. */
const graceMs = 1_000;

export class MainProcess {
  readonly #options: Options;
  readonly #lines: ShellLines;
  readonly #keychain: ShellKeychain;
  readonly #lock: AppLock;
  readonly #started: Promise<App>;
  readonly #openElsewhere: Promise<null>;
  #app: App | undefined;
  #isStopping = false;

  constructor(options: Options) {
    this.#options = options;
    const home = configFolder(options.environment);
    const folder = join(home, "desktop");
    this.#lines = openShellLines({
      ...options,
      onLine: (line) => this.#take(line),
      onEnd: () => {
        this.#keychain.close();
        options.onEnd();
      },
    });
    this.#keychain = new ShellKeychain({ send: this.#lines.send, timers: systemTimers });
    this.#lock = acquireAppLock(join(folder, "desktop.lock"));
    this.#started = this.#lock.acquired.then(() => this.#start(home, folder));
    this.#started.catch(fail);
    this.#openElsewhere = this.#afterGrace();
    this.#lines.send({ type: "ready" });
  }

  /** Ends what is under way; what is kept is written. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#app?.stop();
    await this.#lock.release();
  }

  #start(configFolder: string, folder: string): App {
    this.#app = startApp({
      ...this.#options,
      configFolder,
      folder,
      store: keychainOrMemory(this.#keychain),
      emit: (event) => this.#lines.send({ type: "event", event }),
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
    });
    return this.#app;
  }

  #afterGrace(): Promise<null> {
    return new Promise((resolve) => {
      systemTimers.after(graceMs, () => {
        if (this.#app === undefined && !this.#isStopping) {
          this.#options.log(openAlready);
        }
        resolve(null);
      });
    });
  }

  #take(line: FromShell): void {
    switch (line.type) {
      case "call":
        this.#answer(line).then(this.#lines.send, fail);
        break;
      case "secret_reply":
      case "secret_fault":
        this.#keychain.answer(line);
        break;
      case "woke":
        this.#app?.woke();
        break;
    }
  }

  async #answer(call: Call): Promise<FromMain> {
    const app = await Promise.race([this.#started, this.#openElsewhere]);
    return app === null
      ? { type: "fault", id: call.id, fault: { code: "failed", message: openAlready } }
      : app.answer(call);
  }
}

const openAlready =
  "claude-relay is open already: use its window, or close it first. One at a time keeps your conversations whole.";

/** A defect: the process ends, and says where. */
const fail = (error: unknown): void => {
  setImmediate(() => {
    throw error;
  });
};
