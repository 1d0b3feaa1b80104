import { Redis } from "ioredis";
import type { Log } from "../../pipeline/log.ts";

type Options = Readonly<{
  /** `redis://`, `rediss://` or the path of a Unix socket. */
  url: string;
  channel: string;
  onMessage: (message: string) => void;
  /** Messages are heard from now on; any before may have been missed. */
  onListening: () => void;
  /** Others can be told again. */
  onReachable: () => void;
  log: Log;
}>;

const reconnectMs = 250;
const pingEveryMs = 2_000;

/**
 * A channel between instances, on two connections of its own. Redis keeps no message for who is away; this says
 * when some may have been missed.
 */
export class RedisChannel {
  readonly #options: Options;
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  #pings: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#publisher = this.#client("publisher");
    this.#subscriber = this.#client("subscriber");
    this.#publisher.on("ready", () => options.onReachable());
    this.#subscriber.on("ready", () => void this.#subscribe());
    this.#subscriber.on("message", (_channel: string, text: string) => options.onMessage(text));
  }

  start(): void {
    for (const client of [this.#publisher, this.#subscriber]) {
      client.connect().catch(() => {});
    }
    this.#pings = setInterval(() => this.#ping(), pingEveryMs);
    this.#pings.unref();
  }

  /** Gives how many heard it, oneself too. @throws Error when it may not have been sent */
  publish(message: string): Promise<number> {
    return this.#publisher.publish(this.#options.channel, message);
  }

  /** Runs a script on the publisher's connection. @throws Error when it may not have been done */
  run(lua: string, key: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.#publisher.eval(lua, 1, key, ...args);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#pings ?? undefined);
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
  }

  #client(role: string): Redis {
    const client = new Redis(this.#options.url, {
      lazyConnect: true,
      connectTimeout: 1_000,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      // A command whose connection broke is answered at once: with an error.
      maxRetriesPerRequest: 0,
      maxLoadingRetryTime: reconnectMs,
      retryStrategy: () => reconnectMs,
      connectionName: `claude-relay-${role}`,
    });
    client.on("error", (error: Error) => {
      this.#options.log.debug({ err: error, role }, "no connection to Redis");
    });
    return client;
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#subscriber.subscribe(this.#options.channel);
    } catch {
      // The connection broke again; the next one subscribes.
      return;
    }
    if (!this.#isClosed) {
      this.#options.onListening();
    }
  }

  /** Finds out when the other side is gone without a word. */
  #ping(): void {
    for (const client of [this.#publisher, this.#subscriber]) {
      if (client.status === "ready") {
        const silence = setTimeout(() => client.disconnect(true), pingEveryMs);
        silence.unref();
        const heard = () => clearTimeout(silence);
        client.ping().then(heard, heard);
      }
    }
  }
}
