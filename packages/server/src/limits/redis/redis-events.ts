import { parseObject } from "../../pipeline/json/parse-object.ts";
import type { Log } from "../../pipeline/log.ts";
import { Hearings } from "./hearings.ts";
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
  /** Resolves when the change counts here. */
  onEvent: (event: ChangeEvent) => Promise<void>;
  /** Events may have been missed: read everything anew. Also once when first connected. */
  onResync: () => void;
  log: Log;
}>;

/** What is on the channel: a change, with the teller's number for it, or that one was heard. */
type Message =
  | Readonly<{ kind: "change"; from: string; event: ChangeEvent; number: number }>
  | Readonly<{ kind: "heard"; from: string; of: string; number: number }>;

/** An instance that has not heard by then is taken for dead or cut off: it reads everything anew when it is back. */
const patienceMs = 500;

/**
 * Changes told between instances. Redis keeps no message for who is away: whoever was away, or was not heard,
 * makes everything be read anew.
 */
export class RedisEvents {
  readonly #options: Options;
  readonly #channel: RedisChannel;
  readonly #hearings = new Hearings(patienceMs);
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

  /**
   * Tells all other instances, now or as soon as they can be reached. Resolves when the change counts in all of
   * them, or when one has let half a second pass. Never rejects.
   */
  async publish({ kind, id }: ChangeEvent): Promise<void> {
    const { number, over } = this.#hearings.open();
    void this.#send({ kind, id, number }).then((count) => this.#hearings.told(number, count));
    await over;
  }

  close(): void {
    this.#channel.close();
  }

  /** Gives how many were told, oneself too. */
  async #send(message: object): Promise<number> {
    const { instance, log } = this.#options;
    try {
      return await this.#channel.publish(JSON.stringify({ from: instance, ...message }));
    } catch (error) {
      this.#unheard = true;
      log.warn({ err: error }, "other instances could not be told of a change yet");
      return 0;
    }
  }

  #tellUnheard(): void {
    if (this.#unheard) {
      this.#unheard = false;
      void this.#send({ kind: "everything" });
    }
  }

  #hear(text: string): void {
    const { instance, onResync } = this.#options;
    const message = parse(text);
    if (message === null) {
      // `everything`, a later version's, or not ours at all.
      onResync();
    } else if (message.kind === "heard") {
      if (message.of === instance) {
        this.#hearings.heard(message.number, message.from);
      }
    } else if (message.from === instance) {
      this.#hearings.heard(message.number, instance);
    } else {
      void this.#act(message.event, message.from, message.number);
    }
  }

  async #act(event: ChangeEvent, of: string, number: number): Promise<void> {
    const { instance, onEvent } = this.#options;
    await onEvent(event);
    // That nobody was told of the hearing harms nobody: the teller waits its half second.
    const heard = JSON.stringify({ from: instance, kind: "heard", of, number });
    await this.#channel.publish(heard).catch(() => undefined);
  }
}

const parse = (text: string): Message | null => {
  const said = parseObject(text) as Readonly<Record<string, unknown>> | null;
  const { from, kind: word, id, of, number } = said ?? {};
  if (typeof from !== "string" || typeof number !== "number") {
    return null;
  }
  if (word === "heard") {
    return typeof of === "string" ? { kind: "heard", from, of, number } : null;
  }
  const kind = eventKinds.find((known) => known === word);
  return kind === undefined || typeof id !== "string"
    ? null
    : { kind: "change", from, event: { kind, id }, number };
};
