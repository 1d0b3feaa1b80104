import { setTimeout as sleep } from "node:timers/promises";
import type { RelayEvent } from "@claude-relay/contract";
import type { Log } from "../pipeline/log.ts";
import type { Clock } from "../pipeline/types.ts";
import { signedHeaders } from "./signature.ts";

/** Sends one call and gives the status of its answer. Rejects when none came. */
export type WebhookPost = (
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
) => Promise<number>;

/** How a call ended that is not tried any more. */
export type Delivery = Readonly<{ event: RelayEvent; delivered: boolean; tries: number }>;

type Options = Readonly<{
  secret: string;
  post: WebhookPost;
  clock: Clock;
  log: Log;
  /** Told of every call that is over. Must not throw. */
  onOver: (delivery: Delivery) => void;
  /** From 0 up to 1: jitter. */
  random?: () => number;
  /** Rejects when the signal is aborted. */
  wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  limits?: Partial<WebhookLimits>;
}>;

export type WebhookLimits = Readonly<{
  /** Events waiting at most: one more, and the oldest is given up. */
  queued: number;
  tries: number;
  /** For one try, name lookup and all. */
  tryMs: number;
  firstDelayMs: number;
  longestDelayMs: number;
  /** How long closing waits for the try that is under way. */
  closeMs: number;
}>;

const defaults: WebhookLimits = {
  queued: 256,
  tries: 10,
  tryMs: 10_000,
  firstDelayMs: 1_000,
  longestDelayMs: 300_000,
  closeMs: 3_000,
};

/**
 * Calls one receiver, an event at a time and in order, each until it answers 2xx or has had all its tries. Nothing
 * waits for it, and what it keeps is bounded.
 */
export class Webhook {
  readonly #options: Options;
  readonly #limits: WebhookLimits;
  readonly #waiting: RelayEvent[] = [];
  readonly #closed = new AbortController();
  #sending: Promise<void> | null = null;

  constructor(options: Options) {
    this.#options = options;
    this.#limits = { ...defaults, ...options.limits };
  }

  send(event: RelayEvent): void {
    if (this.#closed.signal.aborted) {
      return;
    }
    this.#waiting.push(event);
    if (this.#waiting.length > this.#limits.queued) {
      this.#over(this.#waiting.shift() as RelayEvent, false, 0);
    }
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  /** Ends waiting and trying, but gives the try that is under way a moment. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    for (let event = this.#waiting.shift(); event; event = this.#waiting.shift()) {
      await this.#deliver(event);
      if (this.#closed.signal.aborted) {
        return;
      }
    }
  }

  async #deliver(event: RelayEvent): Promise<void> {
    const { tries } = this.#limits;
    for (let tried = 1; tried <= tries; tried += 1) {
      const fault = await this.#try(event);
      if (fault === null) {
        this.#over(event, true, tried);
        return;
      }
      const last = tried === tries;
      this.#options.log.warn(
        { event: event.id, tries: tried, fault },
        last ? "A webhook call failed for the last time" : "A webhook call failed",
      );
      if (last) {
        this.#over(event, false, tried);
      } else if (!(await this.#pause(tried))) {
        return;
      }
    }
  }

  /** Null, or why it failed. A redirect is a failure: it would lead past what was checked. */
  async #try(event: RelayEvent): Promise<string | null> {
    const { secret, post, clock } = this.#options;
    const body = JSON.stringify(event);
    const headers = {
      "content-type": "application/json",
      "x-relay-event-id": event.id,
      ...signedHeaders(secret, Math.floor(clock.now() / 1000), body),
    };
    const cut = new AbortController();
    const deadline = setTimeout(() => cut.abort(), this.#limits.tryMs).unref();
    const closing = (): void => void setTimeout(() => cut.abort(), this.#limits.closeMs).unref();
    const { signal: closed } = this.#closed;
    closed.addEventListener("abort", closing, { once: true });
    try {
      const status = await post(headers, body, cut.signal);
      return status >= 200 && status < 300 ? null : `answered ${status}`;
    } catch (error) {
      if (cut.signal.aborted) {
        return "no answer in time";
      }
      return error instanceof Error ? error.message : String(error);
    } finally {
      clearTimeout(deadline);
      closed.removeEventListener("abort", closing);
    }
  }

  /** Twice as long after each try, and never as long as others wait. False when it was closed meanwhile. */
  async #pause(tried: number): Promise<boolean> {
    const { random = Math.random, wait = quietly } = this.#options;
    const { firstDelayMs, longestDelayMs } = this.#limits;
    const longest = Math.min(longestDelayMs, firstDelayMs * 2 ** (tried - 1));
    try {
      await wait(longest * (0.5 + random() / 2), this.#closed.signal);
      return !this.#closed.signal.aborted;
    } catch {
      return false;
    }
  }

  #over(event: RelayEvent, delivered: boolean, tries: number): void {
    this.#options.onOver({ event, delivered, tries });
  }
}

/** A wait that keeps no process alive. */
const quietly = (ms: number, signal: AbortSignal): Promise<unknown> =>
  sleep(ms, undefined, { signal, ref: false });
