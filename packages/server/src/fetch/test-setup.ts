import { createServer, type RequestListener } from "node:http";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import type { TestContext } from "node:test";
import type { Page, PageRequest } from "../pipeline/page-ports.ts";
import { isPublicAddress } from "./guard/public-address.ts";
import { type FetchPorts, guardedFetch } from "./guarded-fetch.ts";
import { defaultLimits, type FetchLimits } from "./limits.ts";
import { renderPage } from "./render/render-page.ts";

/** A server on 127.0.0.1 that counts who connects. */
export type Canary = Readonly<{
  port: number;
  connections(): number;
  requests(): readonly string[];
}>;

const listen = async (t: TestContext, server: Server): Promise<number> => {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
  });
  return (server.address() as AddressInfo).port;
};

export const startCanary = async (
  t: TestContext,
  answer: RequestListener = (_request, response) => response.end("canary"),
): Promise<Canary> => {
  let connections = 0;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.headers.host} ${request.url}`);
    answer(request, response);
  });
  server.on("connection", () => {
    connections += 1;
  });
  const port = await listen(t, server);
  return { port, connections: () => connections, requests: () => requests };
};

/** A server that speaks TCP only: for answers no HTTP server would give. */
export const startRaw = async (
  t: TestContext,
  onRequest: (socket: Socket, head: string) => void,
): Promise<number> =>
  listen(
    t,
    createTcpServer((socket) => {
      socket.once("data", (head) => onRequest(socket, head.toString("latin1")));
    }),
  );

type WorldOptions = Readonly<{
  port: number;
  /** What names resolve to; 127.0.0.1 unless told. */
  names?: Readonly<Record<string, readonly string[]>>;
  ports?: Partial<FetchPorts>;
  limits?: Partial<FetchLimits>;
}>;

/**
 * The guard in a world where exactly 127.0.0.1 is public and its ports 80 and 443 are the test's server. All
 * else is as in the server, but that pages are rendered in this thread.
 */
export const fetchPorts = ({
  port,
  names = {},
  ports = {},
  limits = {},
}: WorldOptions): FetchPorts => ({
  lookup: async (name) => names[name] ?? ["127.0.0.1"],
  isPublic: (address) => address === "127.0.0.1" || isPublicAddress(address),
  connect: (host) => connect({ host, port }),
  certificates: null,
  render: async (job) => renderPage(job),
  userAgent: "test",
  limits: { ...defaultLimits, totalMs: 20_000, concurrent: 8, ...limits },
  ...ports,
});

export const pageRequest = (url: string, more: Partial<PageRequest> = {}): PageRequest => ({
  url,
  maxBytes: 500_000,
  strip: true,
  format: "html",
  signal: new AbortController().signal,
  ...more,
});

/** Fetches from the test's server, with `http://site.example/` standing for it. */
export const fetchFrom = (world: WorldOptions, request: Partial<PageRequest> = {}): Promise<Page> =>
  guardedFetch(pageRequest(request.url ?? "http://site.example/", request), fetchPorts(world));
