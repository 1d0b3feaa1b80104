import type {
  CompleteDone,
  CompleteJson,
  CompleteRequest,
  CompleteText,
  ModelId,
  RequestId,
} from "@claude-relay/contract";
import { MessageReader } from "../../pipeline/complete/message-reader.ts";
import { resultOf, type SchemaFault, schemaFault } from "../../pipeline/complete/result.ts";
import type { CallerReply } from "../../pipeline/types.ts";
import { appErrorBody } from "../error-body.ts";
import { type AppFailure, appFailureOf } from "./app-error.ts";

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
}>;

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

  end(lastChunk: Buffer | null): void {
    if (lastChunk !== null) {
      this.write(lastChunk);
    }
    this.#finish(this.#failure());
  }

  /** Its last words are read like any others; the blank line before them ends an event that was cut off. */
  breakOff(lastWords: Buffer | null): void {
    this.end(lastWords && Buffer.concat([blankLine, lastWords]));
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

  /** What went wrong, as far as upstream told. */
  #failure(): AppFailure | null {
    if (this.#status !== 200) {
      return failureOf(this.#status, Buffer.concat(this.#errorChunks).toString());
    }
    const { error } = this.#reader;
    if (error !== null) {
      return appFailureOf(error.type === "timeout_error" ? 504 : 502, error.type, error.message);
    }
    return this.#reader.complete ? null : unfinished;
  }

  #finish(failure: AppFailure | null): void {
    const wrong = failure ?? this.#misfit();
    const { id } = this.#options;
    if (wrong !== null) {
      const body = appErrorBody(wrong.type, wrong.message, id);
      this.#last("error", wrong.status, body, advice(wrong, this.#headers));
    } else {
      this.#last("done", 200, this.#answer(), []);
    }
  }

  #last(event: string, status: number, body: object, added: readonly string[]): void {
    if (this.#streams && this.#status === 200) {
      this.#send(event, body);
      this.#flush();
      this.#reply.end(null);
      return;
    }
    const bytes = Buffer.from(JSON.stringify(body));
    const content = ["content-type", "application/json", "content-length", String(bytes.length)];
    this.#reply.start(status, [...content, ...this.#headers, ...added]);
    this.#reply.end(bytes);
  }

  /** An answer that is not what `json_schema` asked for is no answer. */
  #misfit(): AppFailure | null {
    const schema = this.#options.wanted().request.json_schema;
    const fault = schema === undefined ? null : schemaFault(schema, resultOf(this.#text));
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
    if (this.#streams && this.#status === 200) {
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

/** Nothing, or less than a message: also of an upstream that answers 200 with something else. */
const unfinished: AppFailure = {
  status: 502,
  type: "api_error",
  message: "Upstream broke off before its answer was complete.",
};

/** When to try again, where upstream's own headers do not say it. */
const advice = ({ status, retry }: AppFailure, headers: readonly string[]): string[] => {
  if (retry === "never") {
    return ["x-should-retry", "false"];
  }
  return status === 429 && !headers.includes("retry-after") ? ["retry-after", "1"] : [];
};

const failureOfSchema = (fault: SchemaFault, stopReason: string): AppFailure => {
  switch (fault) {
    case "misfit": {
      const remedy =
        stopReason === "max_tokens"
          ? "Allow more max_tokens."
          : "Try again, or simplify the schema.";
      const message = `The answer does not fit json_schema (stop_reason: ${stopReason}). ${remedy}`;
      // It has been paid for: whether to pay again is for the app to decide, not for its HTTP client.
      return { status: 502, type: "api_error", message, retry: "never" };
    }
    case "unusable_schema":
    case "slow_schema": {
      const message = "json_schema: an answer cannot be checked against it in time. Simplify it.";
      return { status: 400, type: "invalid_request_error", message };
    }
  }
};

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

const failureOf = (status: number, body: string): AppFailure => {
  try {
    const { error } = JSON.parse(body) as { error: { type: string; message: string } };
    return appFailureOf(status, String(error.type), String(error.message));
  } catch {
    return appFailureOf(status, "api_error", `Upstream answered ${status}.`);
  }
};
