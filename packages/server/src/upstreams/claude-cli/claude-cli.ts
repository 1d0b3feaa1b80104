import type { Log } from "../../pipeline/log.ts";
import type {
  Clock,
  Upstream,
  UpstreamExchange,
  UpstreamReceiver,
  UpstreamRequest,
} from "../../pipeline/types.ts";
import { Call, type CallDeps } from "./call.ts";
import { answerError, type CliError, cliError } from "./cli-error.ts";
import type { ProcessLimits } from "./cli-process.ts";
import { Launcher, type LaunchOptions } from "./launcher.ts";
import { readPrompt, UnservableRequest } from "./prompt.ts";
import { Slots } from "./slots.ts";
import { WarmPool } from "./warm-pool.ts";

export type ClaudeCliOptions = LaunchOptions &
  Readonly<{
    /** As probed; every process must be it. */
    version: string;
    /** Where throw-away directories are made. */
    tempRoot: string;
    /** Processes that wait for calls; 0 for none. */
    poolSize: number;
    maxIdleMs: number;
    concurrency: number;
    queue: number;
    limits: ProcessLimits;
    clock: Clock;
    log: Log;
  }>;

type ClaudeCliStatus = Readonly<{
  /** Why no call is served until a restart; null while they are. */
  closedBecause: string | null;
  warm: number;
  running: number;
  queued: number;
}>;

type ClaudeCli = Readonly<{
  upstream: Upstream;
  status(): ClaudeCliStatus;
  /** Ends every process; running calls break off. Resolves when nothing is left of them. */
  close(): Promise<void>;
}>;

/** Limits that no honest answer meets: 128,000 tokens in deltas of one make some 40 MB of lines. */
export const defaultProcessLimits: ProcessLimits = {
  stdoutBytes: 128 * 1024 * 1024,
  lineBytes: 16 * 1024 * 1024,
  stderrBytes: 1024 * 1024,
  killGraceMs: 2_000,
};

/** Shown to callers in `x-relay-upstream`. */
const name = "claude-cli";

/**
 * The headless Claude Code as an upstream: one small Messages request becomes one run of a locked,
 * single-use process, and the answer is what the Messages API streamed to it. Who calls it sets the time limit.
 */
export const createClaudeCli = (options: ClaudeCliOptions): ClaudeCli => {
  const { clock, log } = options;
  const launcher = new Launcher(options);
  const slots = new Slots(options.concurrency, options.queue);
  let closedBecause: string | null = null;
  const pool = new WarmPool({
    size: options.poolSize,
    maxIdleMs: options.maxIdleMs,
    start: () => launcher.start(),
    monotonicMs: clock.monotonicMs,
    onFault: (why) => log.warn({ why }, "A waiting Claude Code ended"),
  });
  const deps: CallDeps = {
    version: options.version,
    credential: options.credential,
    now: clock.now,
    log,
    closedBecause: () => closedBecause,
    takeWarm: () => pool.take(),
    startCold: () => launcher.start(),
    onBreach: (why) => {
      closedBecause ??= `Claude Code did not keep to its locks: ${why}`;
      log.error({ why }, "Claude Code did not keep to its locks: no call is served any more");
      void pool.close();
    },
  };
  return {
    upstream: {
      name,
      send: (request, receiver) => {
        if (closedBecause !== null) {
          return refused(receiver, cliError(503, "api_error", closedBecause));
        }
        return serve(deps, slots, request, receiver);
      },
    },
    status: () => ({
      closedBecause,
      warm: pool.size,
      running: slots.running,
      queued: slots.queued,
    }),
    close: async () => {
      closedBecause ??= "The relay is shutting down.";
      await Promise.all([pool.close(), launcher.close()]);
    },
  };
};

/** A call for which the queue is full may come again after a short while. */
const queueFull = cliError(
  429,
  "rate_limit_error",
  "Too many calls are waiting for Claude Code. Try again shortly.",
  2,
);

const serve = (
  deps: CallDeps,
  slots: Slots,
  request: UpstreamRequest,
  receiver: UpstreamReceiver,
): UpstreamExchange => {
  try {
    const call = new Call(deps, readPrompt(request), receiver);
    // Its turn never comes within `send`: the sender holds the exchange before it hears of it.
    const ticket = slots.enter({
      callerKey: request.callerKey ?? "",
      run: () => queueMicrotask(() => call.run()),
      refuse: () => queueMicrotask(() => call.refuse(queueFull)),
    });
    call.hold(ticket);
    return call;
  } catch (error) {
    if (error instanceof UnservableRequest) {
      return refused(receiver, cliError(400, "invalid_request_error", error.message));
    }
    throw error;
  }
};

const refused = (receiver: UpstreamReceiver, error: CliError): UpstreamExchange =>
  new Refusing(receiver, error);

/** A call that is answered without any process. */
class Refusing implements UpstreamExchange {
  readonly sent = false;
  #cancelled = false;

  constructor(receiver: UpstreamReceiver, error: CliError) {
    queueMicrotask(() => {
      if (!this.#cancelled) {
        answerError(receiver, error, false);
      }
    });
  }

  pause(): void {}
  resume(): void {}
  cancel(): void {
    this.#cancelled = true;
  }
}
