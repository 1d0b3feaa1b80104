import type { Log } from "../../pipeline/log.ts";
import { RedisChannel } from "./redis-channel.ts";

const eventKinds = [
  "device",
  "app_key",
  "router",
  "enrollment_code",
  "user",
  "organization",
  "policy",
  "budget",
] as const;

/** Something another instance may have in memory has changed: read it anew. */
export type ChangeEvent = Readonly<{ kind: (typeof eventKinds)[number]; id: string }>;

type Options = Readonly<{
  /** `redis://`, `rediss://` or the path of a Unix socket. */
  url: string;
  prefix?: string;
  /** This process and no other; its own events are not told to it. */
  instance: string;
  onEvent: (event: ChangeEvent) => void;
  /** Events may have been missed: read everything anew. Also once when first connected. */
  onResync: () => void;
  log: Log;
}>;

/**
 * Changes told between instances. Redis keeps no message for who is away: whoever was away, or was not heard,
 * makes everything be read anew.
 */
export class RedisEvents {
  readonly #options: Options;
  readonly #channel: RedisChannel;
  /** The others have not heard of something: when they can be told, they shall read everything anew. */
  #unheard = false;

  constructor(options: Options) {
    const { url, prefix = "claude-relay", onResync, log } = options;
    this.#options = options;
    this.#channel = new RedisChannel({
      url,
      channel: `{${prefix}}:changes`,
      onMessage: (message) => this.#hear(message),
      onListening: onResync,
      onReachable: () => this.#tellUnheard(),
      log,
    });
  }

  start(): void {
    this.#channel.start();
  }

  /** Tells all other instances, now or as soon as they can be reached. */
  publish({ kind, id }: ChangeEvent): void {
    this.#send({ kind, id });
  }

  close(): void {
    this.#channel.close();
  }

  #send(message: ChangeEvent | Readonly<{ kind: "everything" }>): void {
    const { instance, log } = this.#options;
    this.#channel
      .publish(JSON.stringify({ from: instance, ...message }))
      .catch((error: unknown) => {
        this.#unheard = true;
        log.warn({ err: error }, "other instances could not be told of a change yet");
      });
  }

  #tellUnheard(): void {
    if (this.#unheard) {
      this.#unheard = false;
      this.#send({ kind: "everything" });
    }
  }

  #hear(message: string): void {
    const { instance, onEvent, onResync } = this.#options;
    const heard = parse(message);
    if (heard === null) {
      // `everything`, a later version's, or not ours at all.
      onResync();
    } else if (heard.from !== instance) {
      onEvent(heard.event);
    }
  }
}

const parse = (message: string): { from: string; event: ChangeEvent } | null => {
  let said: unknown;
  try {
    said = JSON.parse(message);
  } catch {
    return null;
  }
  if (typeof said !== "object" || said === null || !("from" in said) || !("kind" in said)) {
    return null;
  }
  const kind = eventKinds.find((known) => known === said.kind);
  const id = "id" in said ? said.id : undefined;
  return kind === undefined || typeof id !== "string" || typeof said.from !== "string"
    ? null
    : { from: said.from, event: { kind, id } };
};
