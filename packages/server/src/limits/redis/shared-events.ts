import { RelayEvent } from "@claude-relay/contract";
import { Value } from "typebox/value";
import type { Log } from "../../pipeline/log.ts";
import { RedisChannel } from "./redis-channel.ts";

type Options = Readonly<{
  /** `redis://`, `rediss://` or the path of a Unix socket. */
  url: string;
  prefix?: string;
  /** This process and no other; its own events are not told to it. */
  instance: string;
  onEvent: (event: RelayEvent) => void;
  log: Log;
}>;

/**
 * Events told between instances, so that a reader of one follows all. Redis keeps none for who is away: the audit
 * log has them.
 */
export class SharedEvents {
  readonly #options: Options;
  readonly #channel: RedisChannel;

  constructor(options: Options) {
    const { url, prefix = "claude-relay", log } = options;
    this.#options = options;
    this.#channel = new RedisChannel({
      url,
      channel: `{${prefix}}:events`,
      onMessage: (message) => this.#hear(message),
      onListening: () => undefined,
      onReachable: () => undefined,
      log,
    });
    this.#channel.start();
  }

  /** Tells all other instances, if they can be reached. Never throws. */
  publish(event: RelayEvent): void {
    const message = JSON.stringify({ from: this.#options.instance, event });
    this.#channel.publish(message).catch((error: unknown) => {
      this.#options.log.debug({ err: error }, "other instances could not be told of an event");
    });
  }

  close(): void {
    this.#channel.close();
  }

  #hear(message: string): void {
    const { instance, onEvent, log } = this.#options;
    const heard = parse(message);
    if (heard === null) {
      log.debug({}, "another instance told an event that this version does not know");
    } else if (heard.from !== instance) {
      onEvent(heard.event);
    }
  }
}

const parse = (message: string): { from: unknown; event: RelayEvent } | null => {
  try {
    const { from, event } = JSON.parse(message);
    return Value.Check(RelayEvent, event) ? { from, event } : null;
  } catch {
    return null;
  }
};
