import type { ModelId } from "@claude-relay/contract";
import { type DeltaShare, readDelta } from "./sse-delta.ts";
import { SseScanner } from "./sse-scan.ts";
import {
  emptyDraft,
  errorTypeOf,
  estimateOutputTokens,
  isCount,
  isJsonObject,
  mergeUsage,
  nameOr,
  type UsageDraft,
  type UsageMeter,
  type UsageReport,
  usageOf,
} from "./usage.ts";

/**
 * Meters a streamed answer. Deltas are counted by length, never parsed; of the other events only
 * `message_start`, `message_delta`, `message_stop` and `error` are read. A fresh meter per response.
 * https://docs.anthropic.com/en/api/messages-streaming
 */
export const createSseMeter = (): UsageMeter => new SseMeter();

const delta = "content_block_delta";

/** Unnamed events are kept as well: their `type` says what they are. */
const isRead = (name: string | null): boolean =>
  name === null ||
  name === "message_start" ||
  name === "message_delta" ||
  name === "message_stop" ||
  name === "error";

class SseMeter implements UsageMeter {
  readonly #draft: UsageDraft = emptyDraft();
  readonly #share: DeltaShare = { textBytes: 0, hiddenTokens: 0, counts: true };
  readonly #scanner = new SseScanner({
    wants: isRead,
    onLine: (name, text, start, end, size) => {
      if (name === delta) {
        this.#countDelta(text, start, end, size);
      }
    },
    onEvent: (name, data) => this.#readEvent(name, data),
  });
  #responseModel: ModelId | null = null;
  #errorType: string | null = null;
  #started = false;
  #stopped = false;
  #hasFinalCount = false;
  #missedEvent = false;
  /** Upstream's last count, and what was delivered since. */
  #counted = 0;
  #deltas = 0;
  #textBytes = 0;
  #hiddenTokens = 0;

  push(chunk: Buffer): void {
    this.#scanner.push(chunk);
  }

  get atEventBoundary(): boolean {
    return this.#scanner.atEventBoundary;
  }

  report(): UsageReport {
    const complete = this.#stopped && this.#hasFinalCount && !this.#missedEvent;
    const estimated =
      Math.max(this.#deltas, estimateOutputTokens(this.#textBytes)) + this.#hiddenTokens;
    return {
      usage: usageOf(this.#draft, complete ? 0 : this.#counted + estimated),
      responseModel: this.#responseModel,
      complete,
      started: this.#started,
      errorType: this.#errorType,
      estimatedOutputTokens: estimated,
    };
  }

  #countDelta(text: string, start: number, end: number, size: number): void {
    const share = this.#share;
    readDelta(share, text, start, end, size);
    if (!share.counts) {
      return;
    }
    this.#deltas++;
    this.#textBytes += share.textBytes;
    this.#hiddenTokens += share.hiddenTokens;
  }

  #readEvent(name: string | null, data: string | null): void {
    const event = data === null ? null : parse(data);
    if (!isJsonObject(event)) {
      // A count may have been in it: what follows cannot be taken for the whole truth.
      this.#missedEvent = this.#missedEvent || name !== "message_stop";
      return;
    }
    const type = event["type"] ?? name;
    if (type === "message_start") {
      this.#readStart(event["message"]);
    } else if (type === "message_delta") {
      this.#readCount(event["usage"]);
    } else if (type === "message_stop") {
      this.#stopped = true;
    } else if (type === "error") {
      this.#errorType = errorTypeOf(event);
    } else if (type === delta && data !== null) {
      this.#countNameless(Buffer.from(data).toString("latin1"));
    }
  }

  #countNameless(data: string): void {
    this.#countDelta(data, 0, data.length, data.length);
  }

  #readStart(message: unknown): void {
    if (!isJsonObject(message)) {
      return;
    }
    this.#started = true;
    this.#responseModel = nameOr(this.#responseModel, message["model"]);
    mergeUsage(this.#draft, message["usage"]);
  }

  #readCount(usage: unknown): void {
    mergeUsage(this.#draft, usage);
    if (!isJsonObject(usage) || !isCount(usage["output_tokens"])) {
      return;
    }
    this.#hasFinalCount = true;
    this.#counted = this.#draft.output;
    this.#deltas = 0;
    this.#textBytes = 0;
    this.#hiddenTokens = 0;
  }
}

const parse = (data: string): unknown => {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
};
