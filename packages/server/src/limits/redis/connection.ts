import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Log } from "../../pipeline/log.ts";
import type { Script } from "./lua/scripts.ts";

type Options = Readonly<{
  /** `redis://`, `rediss://` or the path of a Unix socket. */
  url: string;
  /** What all names begin with; holds the hash tag that keeps them on one node of a cluster. */
  base: string;
  /** An answer that takes longer does not count as one. */
  patienceMs: number;
  monotonicMs: () => number;
  log: Log;
}>;

export type ScriptReply = readonly (string | number)[];

/** Whether Redis refused what it was sent, rather than being unable to serve anyone: then it is not away. */
export const isOurFault = (error: unknown): boolean =>
  error instanceof Error && error.name === "ReplyError" && error.message.startsWith("ERR ");

const probeEveryMs = 200;
/** A connection silent for so long is given up: the other side may be gone without a word. */
const silenceMs = 2_000;
const endMs = 500;

/**
 * One connection to Redis and whether it can be relied on. It is `up` from when Redis answered a probe in time and
 * `beforeUp` is done, until the first failure; then it is probed in the background until it is up again.
 */
export class RedisConnection {
  readonly #options: Options;
  readonly #client: Redis;
  readonly #closing = new AbortController();
  #toDo: Readonly<{ beforeUp: () => Promise<void>; onUp: () => void }> = {
    beforeUp: async () => {},
    onUp: () => {},
  };
  #up = false;
  #wake: () => void = () => {};
  #complaint = "";
  #healing: Promise<void> = Promise.resolve();
  #waiting: (() => void)[] = [];

  constructor(options: Options) {
    this.#options = options;
    this.#client = new Redis(options.url, {
      lazyConnect: true,
      connectTimeout: 1_000,
      // What was not answered may have been done: it is repeated by what is safe to repeat, never by itself.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // And it is answered with an error as soon as the connection breaks: nothing may wait for it for ever.
      maxRetriesPerRequest: 0,
      maxLoadingRetryTime: probeEveryMs,
      retryStrategy: () => probeEveryMs,
      connectionName: "claude-relay",
    });
    this.#client.on("error", (error: Error) => this.trip(error.message));
    this.#client.on("close", () => this.trip("the connection was closed"));
    this.#client.on("ready", () => this.#wake());
  }

  get up(): boolean {
    return this.#up;
  }

  /** Connects, and stays connected. `beforeUp` must be done every time before it is up, `onUp` is called then. */
  start(beforeUp: () => Promise<void>, onUp: () => void): void {
    this.#toDo = { beforeUp, onUp };
    this.#client.connect().catch(() => {});
    this.#healing = this.#heal();
  }

  /** Resolves when it is up. */
  whenUp(): Promise<void> {
    return this.#up
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#waiting.push(resolve);
        });
  }

  /**
   * Runs a script. No time limit of its own.
   * @throws Error from Redis or the connection; then it may have been done all the same
   */
  run({ sha, lua }: Script, args: readonly (string | number)[]): Promise<ScriptReply> {
    const { base } = this.#options;
    const reply = this.#client.evalsha(sha, 1, base, ...args).catch((error: unknown) => {
      if (error instanceof Error && error.message.startsWith("NOSCRIPT")) {
        return this.#client.eval(lua, 1, base, ...args);
      }
      throw error;
    });
    return reply as Promise<ScriptReply>;
  }

  /** The id of the server process: another one, and its data may be another's too. */
  async runId(): Promise<string> {
    const info = await this.#client.info("server");
    return /^run_id:(\w+)/m.exec(info)?.[1] ?? "unknown";
  }

  /** How Redis makes room when its memory is full; anything but `noeviction` may drop holds. */
  async evictionPolicy(): Promise<string> {
    const info = await this.#client.info("memory");
    return /^maxmemory:0\r?$/m.test(info)
      ? "noeviction"
      : (/^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? "unknown");
  }

  async load(scripts: readonly Script[]): Promise<void> {
    await Promise.all(scripts.map(({ lua }) => this.#client.script("LOAD", lua)));
  }

  /** From now on Redis is taken for away, until a probe is answered in time. */
  trip(reason: string): void {
    if (this.#up) {
      this.#up = false;
      this.#options.log.warn({ reason }, "Redis is away: limits are kept locally");
      this.#healing = this.#heal();
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) {
      return;
    }
    this.#up = false;
    this.#closing.abort();
    this.#wake();
    await this.#healing;
    await Promise.race([this.#client.quit().catch(() => {}), sleep(endMs, null, { ref: false })]);
    this.#client.disconnect();
  }

  async #heal(): Promise<void> {
    let silentSince = this.#options.monotonicMs();
    while (!this.#up && !this.#closing.signal.aborted) {
      if (this.#client.status === "ready" && (await this.#answersInTime())) {
        await this.#rise();
        silentSince = this.#options.monotonicMs();
      } else if (this.#options.monotonicMs() - silentSince > silenceMs) {
        this.#client.disconnect(true);
        silentSince = this.#options.monotonicMs();
      }
      if (!this.#up) {
        await this.#pause();
      }
    }
  }

  async #rise(): Promise<void> {
    try {
      await this.#toDo.beforeUp();
    } catch (error) {
      this.#complain(error);
      return;
    }
    if (this.#client.status === "ready" && !this.#closing.signal.aborted) {
      this.#up = true;
      this.#complaint = "";
      this.#options.log.info({}, "Redis is up");
      this.#toDo.onUp();
      for (const resolve of this.#waiting.splice(0)) {
        resolve();
      }
    }
  }

  /** Once, and not again with every probe. */
  #complain(error: unknown): void {
    const complaint = error instanceof Error ? error.message : String(error);
    if (complaint !== this.#complaint) {
      this.#complaint = complaint;
      this.#options.log.warn({ err: error }, "Redis answers but cannot be used yet");
    }
    if (complaint.startsWith("READONLY")) {
      // The name may lead to the new primary by now.
      this.#client.disconnect(true);
    }
  }

  /** One probe at a time: an answer that comes late is no good sign, only the reason for another probe. */
  async #answersInTime(): Promise<boolean> {
    const { monotonicMs, patienceMs } = this.#options;
    const asked = monotonicMs();
    const answer = this.#client.ping().then(
      () => monotonicMs() - asked <= patienceMs,
      () => false,
    );
    const silence = sleep(silenceMs, false, { ref: false, signal: this.#closing.signal });
    return Promise.race([answer, silence.catch(() => false)]);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, probeEveryMs);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
