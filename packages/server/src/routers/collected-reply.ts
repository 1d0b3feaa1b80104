import type { AppFailure } from "../pipeline/complete/app-failure.ts";
import { errorOf, failureOf, unfinished } from "../pipeline/complete/complete-failure.ts";
import { MessageReader } from "../pipeline/complete/message-reader.ts";
import type { CallerReply, Told } from "../pipeline/types.ts";

/** What the model answered, or why it did not. `retryAfter`: seconds, when upstream named them. */
export type Collected = Readonly<{
  failure: AppFailure | null;
  retryAfter: number | null;
  text: string;
  stopReason: string | null;
}>;

type Options = Readonly<{
  /** As asked for, for the words of a failure. */
  model: string;
  /** Whether the upstream's errors are in the relay's own words, and to be told as they stand. */
  ownErrors: boolean;
}>;

/** A Messages stream collected in memory: it stands where other doors have their caller's socket. */
export class CollectedReply implements CallerReply {
  readonly #options: Options;
  readonly #reader: MessageReader;
  left = false;
  #status = 0;
  #retryAfter: number | null = null;
  #text = "";
  #error = "";
  /** The error in the stream, if any, is the line's and not upstream's. */
  #lineSpoke = false;
  #collected: Collected | null = null;
  #onLeave: (() => void) | null = null;

  constructor(options: Options) {
    this.#options = options;
    this.#reader = new MessageReader({
      onText: (piece) => {
        this.#text += piece;
      },
      onPing: () => undefined,
    });
  }

  /** Nobody waits for the answer any more. */
  leave(): void {
    if (!this.left) {
      this.left = true;
      this.#onLeave?.();
    }
  }

  start(status: number, headers: string[]): void {
    this.#status = status;
    const at = headers.indexOf("retry-after");
    const seconds = at === -1 ? Number.NaN : Number(headers[at + 1]);
    this.#retryAfter = Number.isSafeInteger(seconds) ? seconds : null;
  }

  write(chunk: Buffer): boolean {
    if (this.#status === 200) {
      this.#reader.push(chunk);
    } else if (this.#error.length < longestError) {
      this.#error += chunk.toString();
    }
    return true;
  }

  told(lastChunk: Buffer | null): Told {
    const { failure } = this.#collect(lastChunk);
    return { status: failure?.status ?? 200, errorType: failure?.type ?? null };
  }

  end(lastChunk: Buffer | null): void {
    this.#collect(lastChunk);
  }

  breakOff(lastWords: Buffer | null): void {
    if (lastWords !== null) {
      // The blank line ends an event that was cut off; it may have been upstream's own error.
      this.write(blankLine);
      this.#lineSpoke = this.#reader.error === null;
    }
    this.#collect(lastWords);
  }

  onDrain(): void {}

  onLeave(listener: () => void): void {
    this.#onLeave = listener;
    if (this.left) {
      listener();
    }
  }

  /** All of it, once the line is done. */
  get collected(): Collected {
    return this.#collect(null);
  }

  #collect(lastChunk: Buffer | null): Collected {
    if (this.#collected === null) {
      if (lastChunk !== null) {
        this.write(lastChunk);
      }
      this.#collected = {
        failure: this.#failure(),
        retryAfter: this.#retryAfter,
        text: this.#text,
        stopReason: this.#reader.stopReason,
      };
    }
    return this.#collected;
  }

  #failure(): AppFailure | null {
    const { ownErrors, model } = this.#options;
    if (this.#status !== 200) {
      return this.#status === 0
        ? unfinished
        : failureOf(errorOf(this.#status, this.#error), ownErrors, model);
    }
    const { error } = this.#reader;
    if (error !== null) {
      return failureOf({ status: null, ...error }, ownErrors || this.#lineSpoke, model);
    }
    return this.#reader.complete ? null : unfinished;
  }
}

const blankLine = Buffer.from("\n\n");
const longestError = 64 * 1024;
