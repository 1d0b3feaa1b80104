import type {
  CompleteDone,
  CompleteJson,
  CompleteRequest,
  CompleteText,
  ModelId,
  RequestId,
} from "@claude-relay/contract";
import type { AppFailure } from "../../pipeline/complete/app-failure.ts";
import {
  advice,
  errorOf,
  failureOf,
  failureOfSchema,
  unfinished,
  unshowable,
} from "../../pipeline/complete/complete-failure.ts";
import { MessageReader } from "../../pipeline/complete/message-reader.ts";
import { answerFault, resultOf } from "../../pipeline/complete/result.ts";
import type { Log } from "../../pipeline/log.ts";
import type { CallerReply, Told } from "../../pipeline/types.ts";
import { appErrorBody } from "../error-body.ts";

/** What was asked for, once the body has been read. */
export type Wanted = Readonly<{
  request: CompleteRequest;
  /** As asked: `opus`. */
  model: string;
  modelId: ModelId;
}>;

type Options = Readonly<{
  id: RequestId;
  wanted: () => Wanted;
  elapsedMs: () => number;
  /** Whether the upstream's errors are in the relay's own words, and to be told as they stand. */
  ownErrors: boolean;
  log: Log;
  /** Ends the connection of a caller that does not read the last words. */
  closeSoon: () => void;
}>;

/** How the answer ends. */
type Conclusion = Readonly<{ failure: AppFailure | null; json: string }>;

/**
 * A Messages stream as the answer of `/v1/complete`: one JSON object at the end, or events as they come.
 * It stands between the line and the caller's socket, like any other CallerReply.
 */
export class CompleteReply implements CallerReply {
  readonly #reply: CallerReply;
  readonly #options: Options;
  readonly #reader: MessageReader;
  #status = 0;
  #headers: string[] = [];
  #text = "";
  /** Upstream's answer was an error: its body, to be read at the end. */
  readonly #errorChunks: Buffer[] = [];
  /** Events of a stream not yet handed to the socket. */
  #events = "";
  /** The error in the stream, if any, is the line's and not upstream's. */
  #lineSpoke = false;
  #conclusion: Conclusion | null = null;

  constructor(reply: CallerReply, options: Options) {
    this.#reply = reply;
    this.#options = options;
    this.#reader = new MessageReader({
      onText: (piece) => this.#piece(piece),
      onPing: () => this.#send("ping", {}),
    });
  }

  get left(): boolean {
    return this.#reply.left;
  }

  start(status: number, headers: string[]): void {
    this.#status = status;
    this.#headers = ["request-id", this.#options.id, ...kept(headers)];
    if (status === 200 && this.#streams) {
      this.#reply.start(200, [
        "content-type",
        "text/event-stream; charset=utf-8",
        "cache-control",
        "no-store",
        ...this.#headers,
      ]);
    }
  }

  write(chunk: Buffer): boolean {
    if (this.#status !== 200) {
      this.#errorChunks.push(chunk);
      return true;
    }
    this.#reader.push(chunk);
    return this.#streams ? this.#flush() : true;
  }

  /** Reads the last of upstream's answer. What the app is told may be something else. */
  told(lastChunk: Buffer | null): Told {
    const { failure } = this.#conclude(lastChunk);
    const status = failure === null || this.#begun ? 200 : failure.status;
    return { status, errorType: failure?.type ?? null };
  }

  end(lastChunk: Buffer | null): void {
    const { failure, json } = this.#conclude(lastChunk);
    if (this.#begun) {
      this.#reply.end(
        Buffer.from(`event: ${failure === null ? "done" : "error"}\ndata: ${json}\n\n`),
      );
      return;
    }
    const bytes = Buffer.from(json);
    const content = ["content-type", "application/json", "content-length", String(bytes.length)];
    const added = failure === null ? [] : advice(failure, this.#headers);
    this.#reply.start(failure?.status ?? 200, [...content, ...this.#headers, ...added]);
    this.#reply.end(bytes);
  }

  /** An app's answer ends properly all the same: its last words are an event, or an error body. */
  breakOff(lastWords: Buffer | null): void {
    if (lastWords !== null) {
      // The blank line ends an event that was cut off; it may have been upstream's own error.
      this.write(blankLine);
      this.#lineSpoke = this.#reader.error === null;
    }
    this.end(lastWords);
    if (this.#begun || this.#conclusion?.failure !== null) {
      this.#options.closeSoon();
    }
  }

  onDrain(listener: () => void): void {
    this.#reply.onDrain(listener);
  }

  onLeave(listener: () => void): void {
    this.#reply.onLeave(listener);
  }

  get #streams(): boolean {
    return this.#options.wanted().request.stream === true;
  }

  #piece(piece: string): void {
    this.#text += this.#streams && !this.#wantsResult ? "" : piece;
    this.#send("text", { text: piece });
  }

  get #wantsResult(): boolean {
    const { output_format, json_schema } = this.#options.wanted().request;
    return output_format === "json" || json_schema !== undefined;
  }

  /** A stream whose head has gone out: what follows are events. */
  get #begun(): boolean {
    return this.#streams && this.#status === 200;
  }

  #conclude(lastChunk: Buffer | null): Conclusion {
    if (this.#conclusion === null) {
      if (lastChunk !== null) {
        this.write(lastChunk);
      }
      this.#conclusion = this.#judge();
    }
    return this.#conclusion;
  }

  /** Whatever the model wrote, one answer follows. */
  #judge(): Conclusion {
    const { id, log } = this.#options;
    try {
      const failure = this.#failure() ?? this.#misfit();
      return failure === null
        ? { failure, json: JSON.stringify(this.#answer()) }
        : this.#failed(failure);
    } catch (error) {
      log.error({ requestId: id, error: String(error) }, "An answer could not be handed on");
      return this.#failed(unshowable);
    }
  }

  #failed(failure: AppFailure): Conclusion {
    const { id, log } = this.#options;
    const { type, message, unsaid } = failure;
    if (unsaid !== undefined) {
      log.warn({ requestId: id, status: this.#status, upstreamSaid: unsaid }, "Upstream refused");
    }
    return { failure, json: JSON.stringify(appErrorBody(type, message, id)) };
  }

  /** What went wrong, as far as upstream and the line told. */
  #failure(): AppFailure | null {
    const { ownErrors, wanted } = this.#options;
    const { model } = wanted();
    if (this.#status !== 200) {
      const body = Buffer.concat(this.#errorChunks).toString();
      return failureOf(errorOf(this.#status, body), ownErrors, model);
    }
    const { error } = this.#reader;
    if (error !== null) {
      return failureOf({ status: null, ...error }, ownErrors || this.#lineSpoke, model);
    }
    return this.#reader.complete ? null : unfinished;
  }

  /** An answer that is not what `json_schema` asked for is no answer. */
  #misfit(): AppFailure | null {
    const schema = this.#options.wanted().request.json_schema;
    const fault = schema === undefined ? null : answerFault(schema, this.#text);
    return fault === null ? null : failureOfSchema(fault, this.#reader.stopReason ?? "unknown");
  }

  #answer(): CompleteText | CompleteJson | CompleteDone {
    const { model, modelId } = this.#options.wanted();
    const common = {
      ok: true as const,
      request_id: this.#options.id,
      model,
      model_id: modelId,
      duration_ms: Math.round(this.#options.elapsedMs()),
      stop_reason: this.#reader.stopReason,
    };
    const { usage } = this.#reader;
    if (this.#wantsResult) {
      return { ...common, result: resultOf(this.#text), usage };
    }
    return this.#streams ? { ...common, usage } : { ...common, text: this.#text };
  }

  #send(event: string, data: object): void {
    if (this.#begun) {
      this.#events += `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    }
  }

  #flush(): boolean {
    const events = this.#events;
    this.#events = "";
    return events === "" ? true : this.#reply.write(Buffer.from(events));
  }
}

const blankLine = Buffer.from("\n\n");

/** Of upstream's headers an app needs these; the rest describe a body it does not get. */
const passed = new Set(["retry-after", "x-should-retry"]);

const kept = (headers: readonly string[]): string[] => {
  const flat: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (passed.has(name) || name.startsWith("x-relay-")) {
      flat.push(name, headers[index + 1] ?? "");
    }
  }
  return flat;
};
