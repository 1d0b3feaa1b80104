import type { IncomingHttpHeaders } from "node:http";
import type { Amounts } from "../pipeline/admission.ts";
import type {
  Upstream,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamReceiver,
} from "../pipeline/types.ts";

/** An upstream whose whole answer must come within `limitMs`; one that does not is cancelled, and times out. */
export const withTimeLimit = (upstream: Upstream, limitMs: number): Upstream => ({
  name: upstream.name,
  ...(upstream.billing !== undefined && { billing: upstream.billing }),
  send: (request, receiver) => {
    const limited = new Limited(receiver, limitMs);
    limited.exchange = upstream.send(request, limited);
    return limited;
  },
});

class Limited implements UpstreamReceiver, UpstreamExchange {
  readonly #receiver: UpstreamReceiver;
  readonly #timer: NodeJS.Timeout;
  /** An event stream has begun. */
  #streams = false;
  exchange: UpstreamExchange | null = null;

  constructor(receiver: UpstreamReceiver, limitMs: number) {
    this.#receiver = receiver;
    this.#timer = setTimeout(() => this.#expire(limitMs), limitMs);
  }

  get sent(): boolean {
    return this.exchange?.sent ?? false;
  }

  onStart(status: number, headers: IncomingHttpHeaders): void {
    this.#streams = /^text\/event-stream/i.test(headers["content-type"] ?? "");
    this.#receiver.onStart(status, headers);
  }

  onData(chunk: Buffer): void {
    this.#receiver.onData(chunk);
  }

  /** The limit holds until the end has been taken: were it not, nobody else would end the exchange. */
  onEnd(): void {
    this.#receiver.onEnd();
    clearTimeout(this.#timer);
  }

  onFailure(failure: UpstreamFailure): void {
    this.#receiver.onFailure(failure);
    clearTimeout(this.#timer);
  }

  pause(): void {
    this.exchange?.pause();
  }

  resume(): void {
    this.exchange?.resume();
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.exchange?.cancel();
  }

  used(used: Amounts): void {
    this.exchange?.used?.(used);
  }

  #expire(limitMs: number): void {
    this.exchange?.cancel();
    const message = `the answer took longer than ${limitMs / 1000} s (REQ_TIMEOUT)`;
    if (this.#streams) {
      this.#receiver.onData(timeoutEvent(message));
    }
    this.#receiver.onFailure({ kind: "timeout", message, sent: this.sent });
  }
}

/**
 * What upstream itself would say of a timeout in the middle of its answer. The blank line before it ends
 * an event that was cut off.
 */
const timeoutEvent = (message: string): Buffer => {
  const error = { type: "timeout_error", message: `Upstream took too long: ${message}` };
  return Buffer.from(`\n\nevent: error\ndata: ${JSON.stringify({ type: "error", error })}\n\n`);
};
