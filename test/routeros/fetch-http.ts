import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { inflateSync, unzipSync } from "node:zlib";
import { RouterError } from "./faults.ts";

/** One HTTP request as `/tool fetch` makes it. Body and header values are bytes. */
export type Asked = Readonly<{
  url: URL;
  address: string;
  method: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  checkCertificate: string;
  certificates: readonly string[];
  /** Milliseconds of silence before it gives up; 0: never. */
  idle: number;
  redirects: number;
}>;

export type Answer = Readonly<{
  status: number;
  reason: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}>;

/** Sends one request, follows nothing. Every failure is a `RouterError`. */
export async function send(asked: Asked): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = open(asked);
  request.on("error", (error) => reject(new RouterError(`failure: ${error.message}`)));
  request.on("timeout", () => request.destroy(new Error("idle timeout")));
  request.on("response", (response) => {
    read(response).then(resolve, (error: Error) =>
      reject(new RouterError(`failure: ${error.message}`)),
    );
  });
  request.end(Buffer.from(asked.body, "latin1"));
  return promise;
}

function open({ url, address, ...asked }: Asked): ClientRequest {
  const secure = url.protocol === "https:";
  const options = {
    host: address,
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    method: asked.method.toUpperCase(),
    agent: false as const,
    ...(asked.idle === 0 ? {} : { timeout: asked.idle }),
    headers: {
      Host: url.host,
      "Accept-Encoding": "deflate, gzip",
      ...(asked.body === "" ? {} : { "Content-Length": String(asked.body.length) }),
      ...asked.headers,
    },
  };
  return secure
    ? httpsRequest({
        ...options,
        // An address is checked against the certificate, but is no server name.
        ...(/^[\d.]+$/.test(url.hostname) ? {} : { servername: url.hostname }),
        rejectUnauthorized: asked.checkCertificate !== "no",
        ca: [...asked.certificates],
      })
    : httpRequest(options);
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
  }
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
  );
  const raw = Buffer.concat(chunks);
  const encoding = headers["content-encoding"];
  const body =
    encoding === "gzip" ? unzipSync(raw) : encoding === "deflate" ? inflateSync(raw) : raw;
  return {
    status: response.statusCode ?? 0,
    reason: response.statusMessage ?? "",
    headers,
    body: body.toString("latin1"),
  };
}
