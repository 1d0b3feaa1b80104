import type { CliError } from "./cli-error.ts";
import { cliError, errorOfResult } from "./cli-error.ts";
import type { CliLine, CliResult, Fields } from "./cli-line.ts";
import { checkInit, type Expected } from "./init-check.ts";

type Event = Fields & Readonly<{ type: string }>;

/** What became of a call. */
export type Verdict =
  | { readonly kind: "whole" }
  /** An error of the API's: to be answered as the API would. */
  | { readonly kind: "error"; readonly error: CliError }
  /** No (whole) answer. */
  | { readonly kind: "broken"; readonly message: string }
  /** The process did what no locked process does: the door closes. */
  | { readonly kind: "breach"; readonly message: string };

type Given = Readonly<{
  expected: Expected;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Takes each event of the answer, as server-sent bytes. */
  onEvent: (bytes: Buffer) => void;
}>;

const broken = (message: string): Verdict => ({ kind: "broken", message });
const breach = (message: string): Verdict => ({ kind: "breach", message });

/** Turns a process's lines into the one message the Messages API would have streamed. */
export class Answer {
  readonly #given: Given;
  #checked = false;
  #begun = false;
  /** A message_delta without stop reason: Claude Code's own if an abandoned end follows. */
  #held: Event | null = null;
  #abandoned: Event | null | false = false;
  #refusal: Extract<CliLine, { kind: "refusal" }> | null = null;
  #resetsAtSeconds: number | null = null;

  constructor(given: Given) {
    this.#given = given;
  }

  /** Whether a part of the message went out. */
  get begun(): boolean {
    return this.#begun;
  }

  /** @returns null while more is to come */
  take(line: CliLine): Verdict | null {
    switch (line.kind) {
      case "init":
        return this.#init(line.fields);
      case "event":
        return line.nested ? breach("an agent ran") : this.#event(line.event, line.abandoned);
      case "refusal":
        this.#refusal = line;
        return null;
      case "rate_limit":
        this.#resetsAtSeconds = line.resetsAtSeconds;
        return null;
      case "result":
        return this.#result(line.result);
      case "user":
        return broken("Claude Code went on with a turn of its own");
      case "control_request":
        return broken("Claude Code asked the relay for something");
      case "retry":
        // After a 401 a login's token is renewed, and the request that was refused is sent again.
        return line.status === 401 && !this.#begun
          ? null
          : broken("Claude Code tried again by itself");
      case "garbage":
        return broken("Claude Code wrote what is no line of its protocol");
      case "control_response":
      case "other":
        return null;
    }
  }

  #init(fields: Fields): Verdict | null {
    const fault = checkInit(fields, this.#given.expected);
    this.#checked = true;
    switch (fault?.kind) {
      case undefined:
        return null;
      case "breach":
        return breach(fault.message);
      case "model": {
        const { message } = fault;
        const type = "invalid_request_error";
        return { kind: "error", error: cliError(400, type, message) };
      }
    }
  }

  #event(event: Event, abandoned: boolean): Verdict | null {
    if (!this.#checked) {
      return breach("it spoke before it said what it may do");
    }
    if ((event.type === "message_start") === this.#begun) {
      return broken("Claude Code made a second request");
    }
    if (isToolUse(event)) {
      // Stopped before Claude Code looks for the tool. The model's doing, so the door stays open.
      return broken("the model asked for a tool, and has none");
    }
    if (abandoned) {
      // Not upstream's end: the result line says what it was.
      this.#abandoned = this.#held;
      return null;
    }
    if (event.type === "error") {
      // Upstream's words, which may name the account: the result line says what is to be told of it.
      return null;
    }
    this.#releaseHeld();
    this.#begun = true;
    if (event.type === "message_delta" && stopReasonOf(event) === null) {
      this.#held = event;
      return null;
    }
    this.#say(event);
    return event.type === "message_stop" ? { kind: "whole" } : null;
  }

  #releaseHeld(): void {
    if (this.#held !== null) {
      this.#say(this.#held);
      this.#held = null;
    }
  }

  #result(result: CliResult): Verdict {
    if (this.#refusal !== null && this.#abandoned !== false) {
      this.#endRefused(result);
      return { kind: "whole" };
    }
    const error = errorOfResult(result, this.#given.expected.model, this.#retryAfterSeconds());
    if (error !== null) {
      return { kind: "error", error };
    }
    // Never Claude Code's own words: they name hosts and settings.
    return broken(
      result.apiError === "connection_failed"
        ? "Claude Code lost its connection to the API"
        : `Claude Code ended with ${/^[a-z_]{1,40}$/.exec(result.subtype)?.[0] ?? "no result"}`,
    );
  }

  /** Claude Code hides a refusal's end: it is told as the API tells it. */
  #endRefused({ outputTokens }: CliResult): void {
    const usage = this.#abandoned ? this.#abandoned["usage"] : undefined;
    this.#say({
      type: "message_delta",
      delta: {
        stop_reason: "refusal",
        stop_sequence: null,
        stop_details: {
          type: "refusal",
          category: this.#refusal?.category ?? null,
          explanation: this.#refusal?.explanation ?? null,
        },
      },
      usage: {
        ...(usage as object | undefined),
        ...(outputTokens === null ? {} : { output_tokens: outputTokens }),
      },
    });
    this.#say({ type: "message_stop" });
  }

  #retryAfterSeconds(): number | null {
    if (this.#resetsAtSeconds === null) {
      return null;
    }
    return Math.max(1, Math.ceil(this.#resetsAtSeconds - this.#given.now() / 1000));
  }

  #say(event: Event): void {
    this.#given.onEvent(Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`));
  }
}

const stopReasonOf = (event: Event): unknown =>
  (event["delta"] as Fields | undefined)?.["stop_reason"] ?? null;

const isToolUse = (event: Event): boolean => {
  const block = event["content_block"] as Fields | undefined;
  return event.type === "content_block_start" && /tool/.test(String(block?.["type"]));
};
