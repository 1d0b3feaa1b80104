/** An upstream that answers every request with a text of the test's choosing, and keeps what it was asked. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

// biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
type Body = any;

export type ScriptedUpstream = Readonly<{
  url: string;
  /** Bodies of the requests so far. */
  asked: readonly Body[];
  /** What follows is answered so; a promise is waited for. An object is sent as JSON. */
  answerWith(answer: Scripted | ((body: Body) => Scripted)): void;
  close(): Promise<void>;
}>;

type Scripted = string | object | Promise<string | object>;

/** An answer that begins and breaks off. */
export const cut = { cut: true };

/** An error instead of an answer. */
export class Failure {
  readonly status: number;
  readonly error: Readonly<{ type: string; message: string }>;
  constructor(status: number, type: string, message: string) {
    this.status = status;
    this.error = { type, message };
  }
}

export const startScriptedUpstream = async (): Promise<ScriptedUpstream> => {
  const asked: Body[] = [];
  let script: Scripted | ((body: Body) => Scripted) = "";
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const body = JSON.parse(Buffer.concat(chunks).toString());
    asked.push(body);
    const answer = await (typeof script === "function" ? script(body) : script);
    if (answer === cut) {
      say(response, "{", body.model, true);
    } else if (answer instanceof Failure) {
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(JSON.stringify({ type: "error", error: answer.error }));
    } else {
      say(response, typeof answer === "string" ? answer : JSON.stringify(answer), body.model);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answerWith: (answer) => {
      script = answer;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const say = (response: ServerResponse, text: string, model: string, isCut = false): void => {
  const event = (type: string, fields: object): void =>
    void response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  event("message_start", {
    message: {
      ...{ id: "msg_1", type: "message", role: "assistant", model, content: [] },
      ...{ stop_reason: null, stop_sequence: null },
      usage: { input_tokens: 100, output_tokens: 1 },
    },
  });
  event("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
  event("content_block_delta", { index: 0, delta: { type: "text_delta", text } });
  if (isCut) {
    response.destroy();
    return;
  }
  event("content_block_stop", { index: 0 });
  event("message_delta", {
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: 20 },
  });
  event("message_stop", {});
  response.end();
};
