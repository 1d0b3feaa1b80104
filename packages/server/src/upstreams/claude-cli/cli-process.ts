import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { LineSplitter } from "./line-splitter.ts";

export type Launch = Readonly<{
  file: string;
  arguments: readonly string[];
  environment: Readonly<Record<string, string>>;
  directory: string;
  /** Called once the process is gone. */
  cleanUp(): Promise<void>;
}>;

export type ProcessLimits = Readonly<{
  stdoutBytes: number;
  lineBytes: number;
  stderrBytes: number;
  /** How long a process may take to go after SIGTERM. */
  killGraceMs: number;
}>;

/** How a process ended; `reason` says why it was killed or could not start, in words without secrets. */
export type Exit = Readonly<{
  code: number | null;
  signal: NodeJS.Signals | null;
  reason: string | null;
}>;

export interface ProcessListener {
  onLine(line: string): void;
  /** Once, after the last line. */
  onExit(exit: Exit): void;
}

const tailBytes = 4096;

/**
 * One Claude Code in a process group of its own. Whatever it does, it ends, its group is empty,
 * its directories are gone, and its output has taken bounded memory.
 */
export class CliProcess {
  readonly pid: number | undefined;
  /** Resolves when nothing of it is left. */
  readonly gone: Promise<void>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #limits: ProcessLimits;
  readonly #lines: LineSplitter;
  readonly #gone = Promise.withResolvers<void>();
  #listener: ProcessListener | null = null;
  #exit: Exit | null = null;
  #reason: string | null = null;
  #stdoutBytes = 0;
  #stderrBytes = 0;
  #stderrTail = Buffer.alloc(0);
  #killTimer: NodeJS.Timeout | null = null;
  #closeTimer: NodeJS.Timeout | null = null;
  #exited = false;
  #paused = false;

  /** @throws when the system has no room for another process */
  constructor(launch: Launch, limits: ProcessLimits) {
    this.#limits = limits;
    this.#lines = new LineSplitter(limits.lineBytes);
    this.gone = this.#gone.promise;
    const child = spawn(launch.file, launch.arguments, {
      cwd: launch.directory,
      env: launch.environment,
      // A session and process group of its own: one signal reaches all it may have started.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
    });
    // First of all: an error nobody listens for would end the relay.
    child.once("error", (error) => this.#notStarted(error));
    if (child.stdin === undefined) {
      throw new Error("no room for another process (file descriptors)");
    }
    this.#child = child;
    this.pid = child.pid;
    // What a dead process no longer reads is told by its exit.
    child.stdin.on("error", () => {});
    child.stdout.on("error", () => {}).on("data", (chunk: Buffer) => this.#heard(chunk));
    child.stderr.on("error", () => {}).on("data", (chunk: Buffer) => this.#complained(chunk));
    child.once("exit", () => this.#leaderGone());
    child.once("close", (code, signal) => this.#closed(code, signal, launch));
  }

  /** True until it has exited or is being killed. */
  get alive(): boolean {
    return !this.#exited && this.#reason === null;
  }

  /** The end of what it said on stderr. May hold words of a prompt once one was sent. */
  get stderrTail(): string {
    return this.#stderrTail.toString();
  }

  /** Who hears of it from now on; at once when it has ended already. Lines nobody listens to are lost. */
  listen(listener: ProcessListener | null): void {
    this.#listener = listener;
    if (this.#exit !== null) {
      listener?.onExit(this.#exit);
    }
  }

  write(text: string): void {
    if (this.#child.stdin.writable) {
      this.#child.stdin.write(text);
    }
  }

  /** No more input: it ends by itself when it has answered. */
  endInput(): void {
    this.#child.stdin.end();
  }

  pause(): void {
    this.#paused = true;
    this.#child.stdout.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#child.stdout.resume();
    if (this.#exited) {
      this.#expectClose();
    }
  }

  /** Ends it and all it started: SIGTERM, then SIGKILL. @param reason told at its exit */
  kill(reason: string): void {
    this.#reason ??= reason;
    this.#signal("SIGTERM");
    this.#killAfter(this.#limits.killGraceMs);
    // Nobody reads on: what is still in the pipe must not hold its end back.
    this.resume();
  }

  /** Lets it end by itself, but not for long. */
  release(): void {
    this.endInput();
    this.resume();
    this.#killAfter(this.#limits.killGraceMs);
  }

  #killAfter(ms: number): void {
    if (!this.#exited) {
      this.#killTimer ??= setTimeout(() => this.#signal("SIGKILL"), ms);
    }
  }

  #signal(signal: NodeJS.Signals): void {
    // Once the leader is reaped, its id may become another's.
    if (this.pid === undefined || this.#exited) {
      return;
    }
    try {
      process.kill(-this.pid, signal);
    } catch {
      // Nobody is left in the group.
    }
  }

  #heard(chunk: Buffer): void {
    this.#stdoutBytes += chunk.length;
    if (this.#reason !== null) {
      return;
    }
    const fits =
      this.#stdoutBytes <= this.#limits.stdoutBytes &&
      this.#lines.push(chunk, (line) => this.#listener?.onLine(line));
    if (!fits) {
      this.kill("it wrote more on stdout than an answer can be");
    }
  }

  #complained(chunk: Buffer): void {
    this.#stderrBytes += chunk.length;
    const tail = Buffer.concat([this.#stderrTail, chunk.subarray(-tailBytes)]);
    this.#stderrTail = Buffer.from(tail.subarray(-tailBytes));
    if (this.#stderrBytes > this.#limits.stderrBytes) {
      this.kill("it flooded stderr");
    }
  }

  #notStarted(error: NodeJS.ErrnoException): void {
    this.#reason ??= `it could not be started (${error.code ?? "unknown"})`;
  }

  /** Whatever it started must not outlive it. */
  #leaderGone(): void {
    this.#signal("SIGKILL");
    this.#exited = true;
    clearTimeout(this.#killTimer ?? undefined);
    this.#expectClose();
  }

  /** A stray that fled the group could hold the pipes open: do not wait for it. */
  #expectClose(): void {
    if (this.#paused) {
      return;
    }
    this.#closeTimer ??= setTimeout(() => {
      this.#child.stdout.destroy();
      this.#child.stderr.destroy();
      this.#child.stdin.destroy();
    }, this.#limits.killGraceMs);
  }

  #closed(code: number | null, signal: NodeJS.Signals | null, launch: Launch): void {
    this.#exited = true;
    clearTimeout(this.#killTimer ?? undefined);
    clearTimeout(this.#closeTimer ?? undefined);
    this.#exit = { code, signal, reason: this.#reason };
    this.#listener?.onExit(this.#exit);
    void launch.cleanUp().then(this.#gone.resolve, this.#gone.resolve);
  }
}
