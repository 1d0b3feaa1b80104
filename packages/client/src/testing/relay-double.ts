/** A hand-made relay: speaks the wire exactly, and breaks it exactly as told. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Asked = Readonly<{
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
  body: any;
  /** Resolves when the connection is gone. */
  closed: Promise<unknown>;
}>;

export type Reply = (response: ServerResponse, asked: Asked) => void | Promise<void>;

export type RelayDouble = Readonly<{
  url: string;
  asked: readonly Asked[];
  /** The replies to the next requests; the last one goes on for ever. */
  replies(...replies: Reply[]): void;
  close(): Promise<void>;
}>;

export const startRelayDouble = async (): Promise<RelayDouble> => {
  const asked: Asked[] = [];
  let queue: Reply[] = [];
  const server = createServer(async (request, response) => {
    const one = await read(request, response);
    asked.push(one);
    const reply = queue.length > 1 ? queue.shift() : queue[0];
    await reply?.(response, one);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    replies: (...replies) => {
      queue = replies;
      asked.length = 0;
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};

const read = async (request: IncomingMessage, response: ServerResponse): Promise<Asked> => {
  const closed = new Promise((resolve) => response.once("close", resolve));
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString();
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers,
    body: text && JSON.parse(text),
    closed,
  };
};

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };

const common = { ok: true, request_id: "req_1", model_id: "claude-opus-5-5", duration_ms: 12 };
export const usage = {
  input_tokens: 7,
  output_tokens: 5,
  cache_read_input_tokens: 3,
  cache_creation_input_tokens: 1,
};
const modelOf = ({ body }: Asked): string => body.model ?? "opus";

export const text =
  (said: string): Reply =>
  (response, asked) =>
    json(200, { ...common, model: modelOf(asked), stop_reason: "end_turn", text: said })(
      response,
      asked,
    );

export const result =
  (value: unknown): Reply =>
  (response, asked) =>
    json(200, { ...common, model: modelOf(asked), stop_reason: "end_turn", result: value, usage })(
      response,
      asked,
    );

export const refusal = (
  status: number,
  type: string,
  message = "No.",
  headers: Record<string, string> = {},
): Reply => json(status, errorBody(type, message), headers);

export const errorBody = (type: string, message = "No.") => ({
  ok: false,
  type: "error",
  error: { type, message },
  request_id: "req_9",
});

export const page =
  (status: number, html: string, headers: Record<string, string> = {}): Reply =>
  (response) => {
    response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...headers });
    response.end(html);
  };

/** The connection is reset before a byte of the answer. */
export const reset: Reply = (response) => {
  response.socket?.resetAndDestroy();
};

/** Takes the request and never answers. */
export const silence: Reply = () => undefined;

export const event = (name: string, data: unknown): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

export const done = (more: Record<string, unknown> = {}): string =>
  event("done", { ...common, model: "opus", stop_reason: "end_turn", usage, ...more });

/** A stream of these pieces, a write each; `after` says what becomes of it then (by default it ends well). */
export const stream =
  (
    pieces: readonly (string | Uint8Array)[],
    after: (response: ServerResponse) => void = (response) => response.end(),
  ): Reply =>
  async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    for (const piece of pieces) {
      await new Promise((resolve) => response.write(piece, resolve));
    }
    after(response);
  };

/** For `stream`: stops in the middle without a word, or stays open for ever. */
export const cut = (response: ServerResponse): void => void response.socket?.destroy();
export const hang = (): void => undefined;
