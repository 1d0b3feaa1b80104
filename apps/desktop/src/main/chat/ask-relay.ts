import type Anthropic from "@anthropic-ai/sdk";
import type { SessionTimers } from "@claude-relay/client/device";
import type { ReplyFault, ReplyUsage } from "../../bridge/conversation.ts";
import { printable } from "../printable.ts";
import type { RelayAccess } from "../relay/relay-access.ts";
import { createAnthropicClient } from "./anthropic-client.ts";
import type { Turn } from "./message-history.ts";
import { createRelayFetch, longestSilenceMs } from "./relay-fetch.ts";
import { faultBeforeText, faultInStream, isTokenRefused } from "./reply-fault.ts";

export type Question = Readonly<{ model: string; maxTokens: number; turns: readonly Turn[] }>;

/** What comes of an answer: texts, and then how it ended. */
export type ReplyPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "end"; readonly stopReason: string; readonly usage: ReplyUsage };

export type AskDeps = Readonly<{
  timers: SessionTimers;
  now: () => number;
  longestSilence?: number | undefined;
}>;

/** The answer failed; `fault` is for the person. */
export class ReplyFailed extends Error {
  readonly fault: ReplyFault;

  constructor(fault: ReplyFault) {
    super(fault.message);
    this.fault = fault;
  }
}

type Events = AsyncIterable<Anthropic.RawMessageStreamEvent>;

/**
 * Asks the relay and gives the answer as it comes. A token that it no longer takes is replaced, once, unseen.
 * @param signal frees the relay at once
 * @throws ReplyFailed; anything when the signal was aborted
 */
export async function* askRelay(
  access: RelayAccess,
  question: Question,
  signal: AbortSignal,
  deps: AskDeps,
): AsyncGenerator<ReplyPart, void> {
  const tokens: string[] = [];
  const { model } = question;
  const begun = await begin(access, question, signal, deps, tokens).catch((error: unknown) => {
    throw new ReplyFailed(faultBeforeText(error, { model, now: deps.now(), secrets: tokens }));
  });
  try {
    yield* partsOf(begun);
  } catch (error) {
    throw new ReplyFailed(faultInStream(error, tokens));
  }
}

/** Resolves when the relay has begun to answer: until then no text can have come. */
const begin = async (
  access: RelayAccess,
  question: Question,
  signal: AbortSignal,
  deps: AskDeps,
  tokens: string[],
): Promise<Events> => {
  for (let attempt = 1; ; attempt += 1) {
    const token = await access.token(signal);
    tokens.push(token);
    try {
      return await request(access.relayUrl, token, question, signal, deps);
    } catch (error) {
      if (!isTokenRefused(error)) {
        throw error;
      }
      access.reject(token);
      if (attempt === 2) {
        throw error;
      }
    }
  }
};

const request = (
  relayUrl: string,
  token: string,
  { model, maxTokens, turns }: Question,
  signal: AbortSignal,
  { timers, longestSilence = longestSilenceMs }: AskDeps,
): Promise<Events> => {
  const relayFetch = createRelayFetch({ relayUrl, token, timers, longestSilence });
  const client = createAnthropicClient(relayUrl, token, relayFetch);
  const body = { model, max_tokens: maxTokens, messages: [...turns], stream: true as const };
  return client.messages.create(body, { signal });
};

async function* partsOf(events: Events): AsyncGenerator<ReplyPart, void> {
  const reading = new Reading();
  try {
    for await (const event of events) {
      const text = reading.take(event);
      if (text !== "") {
        yield { kind: "text", text };
      }
    }
  } catch (error) {
    // After its last event nothing of an answer can be missing.
    if (!reading.isWhole) {
      throw error;
    }
  }
  if (!reading.isWhole) {
    throw new Error("the stream has no end");
  }
  yield reading.end();
}

/** What an answer has said of itself so far. The SDK's types are a hope: nothing checked what came. */
class Reading {
  #inputTokens = 0;
  #outputTokens = 0;
  #stopReason = "";
  isWhole = false;

  /** The text that an event brings. */
  take(event: Anthropic.RawMessageStreamEvent): string {
    switch (event.type) {
      case "message_start": {
        const { usage } = event.message;
        const { cache_read_input_tokens: read, cache_creation_input_tokens: written } = usage;
        this.#inputTokens = countOf(usage.input_tokens) + countOf(read) + countOf(written);
        this.#outputTokens = countOf(usage.output_tokens);
        return "";
      }
      case "content_block_delta":
        return event.delta.type === "text_delta" ? wordsOf(event.delta.text) : "";
      case "message_delta":
        // Counted from the start of the answer: the last one is the whole.
        this.#outputTokens = countOf(event.usage.output_tokens);
        this.#stopReason = printable(wordsOf(event.delta.stop_reason)) || this.#stopReason;
        return "";
      case "message_stop":
        this.isWhole = true;
        return "";
      default:
        // Starts and ends of blocks; and what newer models send besides text.
        return "";
    }
  }

  end(): ReplyPart {
    const usage = { inputTokens: this.#inputTokens, outputTokens: this.#outputTokens };
    return { kind: "end", stopReason: this.#stopReason, usage };
  }
}

const wordsOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** What is no count is none; a trillion is more than any answer has. */
const countOf = (value: unknown): number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 1e12 ? value : 0;
