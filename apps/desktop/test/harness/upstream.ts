/** Anthropic's API in the test's hand: every question waits until the test answers it, word by word. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Listening, listenHere } from "../../../../test/harness/loopback.ts";
import { until } from "./poll.ts";

export type Upstream = Listening &
  Readonly<{
    /** The next question. */
    asked(): Promise<Asked>;
  }>;

export type Asked = Readonly<{
  /** The request's body. */
  body: { model: string; messages: readonly { role: string; content: unknown }[] };
  /** Sends more of the answer. */
  say(text: string): void;
  finish(): void;
  /** Answers with an error instead. */
  refuse(status: number, type: string, message: string): void;
  /** Resolves when whoever asked is gone. */
  left: Promise<unknown>;
}>;

const models = [
  { id: "claude-sonnet-5-5", display_name: "Claude Sonnet 5.5" },
  { id: "claude-haiku-5-5", display_name: "Claude Haiku 5.5" },
  { id: "claude-opus-5-5", display_name: "Claude Opus 5.5" },
];

export const startUpstream = async (): Promise<Upstream> => {
  const arrived: Asked[] = [];
  const server = createServer(async (request, response) => {
    if (request.method === "GET") {
      listModels(response);
      return;
    }
    arrived.push(answerable(await bodyOf(request), response));
  });
  return {
    ...(await listenHere(server)),
    asked: () => until("Anthropic is asked", () => arrived.shift()),
  };
};

const listModels = (response: ServerResponse): void => {
  const data = models.map((model) => ({
    ...{ type: "model", created_at: "2026-10-01T00:00:00Z" },
    ...model,
  }));
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({ data, has_more: false, first_id: data[0]?.id, last_id: data.at(-1)?.id }),
  );
};

const bodyOf = async (request: IncomingMessage): Promise<Asked["body"]> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
};

const answerable = (body: Asked["body"], response: ServerResponse): Asked => {
  const event = (type: string, fields: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  };
  const begin = (): void => {
    if (!response.headersSent) {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      event("message_start", { message: emptyMessage(body.model) });
      event("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
    }
  };
  return {
    body,
    say: (text) => {
      begin();
      event("content_block_delta", { index: 0, delta: { type: "text_delta", text } });
    },
    finish: () => {
      begin();
      event("content_block_stop", { index: 0 });
      const delta = { stop_reason: "end_turn", stop_sequence: null };
      event("message_delta", { delta, usage: { output_tokens: 20 } });
      event("message_stop", {});
      response.end();
    },
    refuse: (status, type, message) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify({ type: "error", error: { type, message } }));
    },
    left: once(response, "close"),
  };
};

const emptyMessage = (model: string): object => ({
  ...{ id: "msg_1", type: "message", role: "assistant", model, content: [] },
  ...{ stop_reason: null, stop_sequence: null, usage: { input_tokens: 25, output_tokens: 1 } },
});
