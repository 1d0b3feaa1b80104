import type { CompleteUsage } from "@claude-relay/contract";
import { SseScanner } from "../usage/sse-scan.ts";

/** What an upstream said went wrong after it had begun to answer. */
type UpstreamError = Readonly<{ type: string; message: string }>;

type Listener = Readonly<{ onText(piece: string): void; onPing(): void }>;

/** Reads a Messages stream, however it is cut into chunks, for the text, the count and the end of its message. */
export class MessageReader {
  readonly #listener: Listener;
  readonly #scanner: SseScanner;
  #usage: CompleteUsage = {
    input_tokens: 0,
    output_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
  };
  #stopReason: string | null = null;
  #complete = false;
  #error: UpstreamError | null = null;

  constructor(listener: Listener) {
    this.#listener = listener;
    this.#scanner = new SseScanner({
      wants: () => true,
      onLine: () => undefined,
      onEvent: (_name, data) => this.#event(data),
    });
  }

  push(chunk: Buffer): void {
    this.#scanner.push(chunk);
  }

  get usage(): CompleteUsage {
    return this.#usage;
  }

  get stopReason(): string | null {
    return this.#stopReason;
  }

  /** True once the message has been told to its end. */
  get complete(): boolean {
    return this.#complete;
  }

  /** The first one told; none after a message that has come to its end. */
  get error(): UpstreamError | null {
    return this.#error;
  }

  #event(data: string | null): void {
    const event = data === null ? null : parse(data);
    switch (event?.type) {
      case "message_start":
        this.#count(event.message?.usage);
        return;
      case "content_block_start":
        this.#text(event.content_block?.text);
        return;
      case "content_block_delta":
        this.#text(event.delta?.text);
        return;
      case "message_delta":
        this.#stopReason = textOr(this.#stopReason, event.delta?.stop_reason);
        this.#count(event.usage);
        return;
      case "message_stop":
        this.#complete = true;
        return;
      case "ping":
        this.#listener.onPing();
        return;
      case "error":
        this.#error ??= this.#complete ? null : errorOf(event);
        return;
    }
  }

  #text(piece: unknown): void {
    if (typeof piece === "string" && piece !== "") {
      this.#listener.onText(piece);
    }
  }

  /** Usage is cumulative: what a later event names replaces what an earlier one said. */
  #count(usage: Partial<CompleteUsage> | undefined): void {
    const counted = Object.entries(this.#usage).map(([field, before]) => {
      const now = usage?.[field as keyof CompleteUsage];
      return [field, typeof now === "number" ? now : before];
    });
    this.#usage = Object.fromEntries(counted) as CompleteUsage;
  }
}

/** The fields that are read here, whatever upstream puts there; it may send any others. */
type StreamEvent = Readonly<{
  type?: unknown;
  message?: { usage?: Partial<CompleteUsage> } | null;
  content_block?: { text?: unknown } | null;
  delta?: { text?: unknown; stop_reason?: unknown } | null;
  usage?: Partial<CompleteUsage>;
  error?: { type?: unknown; message?: unknown } | null;
}>;

const errorOf = ({ error }: StreamEvent): UpstreamError => ({
  type: textOr("api_error", error?.type),
  message: textOr("Upstream failed mid-answer.", error?.message),
});

const textOr = <Other>(other: Other, value: unknown): string | Other =>
  typeof value === "string" ? value : other;

const parse = (data: string): StreamEvent | null => {
  try {
    return JSON.parse(data) as StreamEvent;
  } catch {
    return null;
  }
};
