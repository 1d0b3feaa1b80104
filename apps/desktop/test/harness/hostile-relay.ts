/** A relay that lets every device in and then answers what the test wants: nothing of it is to be believed. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export type HostileRelay = Readonly<{
  url: string;
  /** Answers by path, without the query; they may be changed at any time. */
  answers: Map<string, Answer>;
  /** What was asked, as `GET /path`. */
  asked: string[];
}>;

/** What stands in each token that it gives. */
export const hostileToken = `wt_${"hostile-relay-token-".repeat(4)}`;

export const json =
  (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };

/** An answer of the Messages API made of these events. */
export const eventStream =
  (events: readonly Readonly<{ type: string }>[]): Answer =>
  (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    for (const event of events) {
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
  };

/** Gone when the test is over. */
export const startHostileRelay = async (t: TestContext): Promise<HostileRelay> => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const [path = ""] = (request.url ?? "").split("?");
    asked.push(`${request.method} ${path}`);
    // What it is told does not matter; a pipe that is full would.
    request.resume();
    response.on("error", () => undefined);
    (answers.get(path) ?? json({ type: "error", error: { type: "x", message: "no" } }, 404))(
      request,
      response,
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const expires_at = new Date(Date.now() + 86_400_000).toISOString();
  const token = json({ wrapper_token: hostileToken, expires_at, proxy_base_url: url });
  const answers = new Map<string, Answer>([
    ["/healthz", json({ status: "healthy", timestamp: new Date().toISOString() })],
    ["/bootstrap", token],
    ["/refresh", token],
  ]);
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return { url, answers, asked };
};
