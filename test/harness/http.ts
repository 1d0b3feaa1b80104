/** HTTP without a client library's opinions: headers as they were sent, bodies as bytes. */
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";

export type Call = Readonly<{
  method?: string;
  path?: string;
  headers?: Readonly<Record<string, string>>;
  /** An array is sent chunked, a write each. */
  body?: string | Buffer | object | readonly (string | Buffer)[];
}>;

export type Answer = Readonly<{
  status: number;
  /** Lower-case names; a repeated one has all its values, joined. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** The answer ended as HTTP says it must, and was not cut off. */
  whole: boolean;
}>;

/** Headers of a call to the Messages API with this token. */
export const withToken = (token: string, scenario?: string): Record<string, string> => ({
  authorization: `Bearer ${token}`,
  "anthropic-version": "2023-06-01",
  "content-type": "application/json",
  ...(scenario !== undefined && { "x-simulator-scenario": scenario }),
});

/** Sends a request on a connection of its own and gives the running exchange. */
export const open = (url: string, call: Call): ClientRequest => {
  const { method = "POST", path = "/v1/messages", headers = {}, body } = call;
  const outgoing = request(`${url}${path}`, { method, headers, agent: false });
  // What becomes of the connection shows in the answer; by itself it must not end the test process.
  outgoing.on("error", () => {});
  if (Array.isArray(body)) {
    for (const chunk of body) {
      outgoing.write(chunk);
    }
    outgoing.end();
  } else if (body === undefined) {
    outgoing.end();
  } else {
    const bytes = Buffer.isBuffer(body) || typeof body === "string" ? body : JSON.stringify(body);
    outgoing.setHeader("content-length", Buffer.byteLength(bytes));
    outgoing.end(bytes);
  }
  return outgoing;
};

/** Resolves with the response's head; its body is left to the caller. */
export const begun = async (outgoing: ClientRequest): Promise<IncomingMessage> => {
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  // Like above: a cut shows in `complete`.
  response.on("error", () => {});
  return response;
};

/** Reads the rest of a response. */
export const finish = (response: IncomingMessage): Promise<Answer> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk)).resume();
    response.once("close", () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: joined(response.rawHeaders),
        body: Buffer.concat(chunks),
        whole: response.complete,
      }),
    );
  });

/** One exchange from its first byte to its last. */
export const send = async (url: string, call: Call): Promise<Answer> =>
  finish(await begun(open(url, call)));

const joined = (raw: readonly string[]): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    const value = raw[index + 1] ?? "";
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
};

/** Reads a response until the text so far fits; gives that text and goes on reading no further. */
export const readUntil = (
  response: IncomingMessage,
  fits: (text: string) => boolean,
): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = "";
    const onData = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      if (fits(text)) {
        response.off("data", onData);
        response.off("close", onClose);
        response.pause();
        resolve(text);
      }
    };
    const onClose = (): void => reject(new Error(`the answer ended before that came:\n${text}`));
    response.on("data", onData).resume();
    response.on("close", onClose);
  });

/** How many whole SSE events a text holds. */
export const eventsIn = (text: string): number => text.split("\n\n").length - 1;
