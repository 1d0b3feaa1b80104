import { strictDecoder } from "./answer-body.ts";
import { type Usage, usageFrom } from "./completion.ts";
import { errorOfType, RelayConnectionError, UnexpectedAnswerError } from "./errors.ts";
import { notAnAnswer, parseErrorBody, parseObject, withoutKey } from "./failure.ts";
import { createEventReader, type ServerSentEvent } from "./server-sent-events.ts";

/** A whole answer that came as a stream. */
export type FinalAnswer = Readonly<{
  /** Every piece of it. */
  text: string;
  usage: Usage;
  stopReason: string | null;
  /** As asked for. */
  model: string;
  /** The full id it stands for. */
  modelId: string;
  requestId: string;
  durationMs: number;
  /** The answer's JSON value, with `outputFormat: "json"` or `jsonSchema`. */
  result?: unknown;
}>;

type StreamEnd = Omit<FinalAnswer, "text">;

/** An answer that streams; anything else at this address is no relay's. */
export const requireEventStream = async (response: Response): Promise<Response> => {
  if (!/^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "")) {
    throw new UnexpectedAnswerError(notAnAnswer(response), { status: response.status });
  }
  return response;
};

/**
 * The pieces of text in the chunks of a stream; returns the whole. Throws the RelayError of an error event, and
 * RelayConnectionError when the stream stops without either. Events nobody knows are passed over.
 */
export async function* readCompletion(
  chunks: AsyncIterable<Uint8Array>,
  key: string,
): AsyncGenerator<string, FinalAnswer> {
  const readEvents = createEventReader();
  const decode = strictDecoder(200);
  let text = "";
  for await (const chunk of chunks) {
    for (const event of readEvents(decode(chunk))) {
      const read = understand(event, key);
      if (read?.kind === "text") {
        text += read.text;
        yield read.text;
      } else if (read?.kind === "done") {
        return { text, ...read.end };
      }
    }
  }
  throw new RelayConnectionError("The stream was cut off before its end.");
}

type Understood =
  | Readonly<{ kind: "text"; text: string }>
  | Readonly<{ kind: "done"; end: StreamEnd }>
  | undefined;

const understand = ({ event, data }: ServerSentEvent, key: string): Understood => {
  switch (event) {
    case "text":
      return { kind: "text", text: textFrom(data) };
    case "done":
      return { kind: "done", end: endFrom(data) };
    case "error":
      throw errorFrom(data, key);
    default:
      return undefined;
  }
};

const textFrom = (data: string): string => {
  const text = parseObject(data)?.["text"];
  return typeof text === "string" ? text : garbage("text");
};

const endFrom = (data: string): StreamEnd => {
  const done = parseObject(data);
  if (done?.["ok"] !== true) {
    return garbage("done");
  }
  const { stop_reason: stopReason, duration_ms: durationMs } = done;
  return {
    usage: usageFrom(done["usage"]),
    stopReason: typeof stopReason === "string" ? stopReason : null,
    model: String(done["model"] ?? ""),
    modelId: String(done["model_id"] ?? ""),
    requestId: String(done["request_id"] ?? ""),
    durationMs: typeof durationMs === "number" ? durationMs : 0,
    ...("result" in done && { result: done["result"] }),
  };
};

const errorFrom = (data: string, key: string): Error => {
  const body = parseErrorBody(data);
  if (body === undefined) {
    return garbage("error");
  }
  const { error, request_id: requestId } = body;
  return errorOfType(withoutKey(error.message, key), {
    type: error.type,
    requestId: typeof requestId === "string" ? requestId : undefined,
  });
};

const garbage = (event: string): never => {
  throw new UnexpectedAnswerError(`The stream holds a "${event}" event that is not a relay's.`);
};
