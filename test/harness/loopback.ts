/** Servers of tests, on this machine alone. */
import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";

export type Listening = Readonly<{
  url: string;
  /** Ends its connections too, whatever is under way on them. */
  close(): Promise<void>;
}>;

/** Has a server listen on a port that is free. */
export const listenHere = async (server: HttpServer): Promise<Listening> => {
  const port = await portOf(server);
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};

/** A port that is free now, for programs that cannot take any. */
export const freePort = async (): Promise<number> => {
  const server = createServer();
  const port = await portOf(server);
  server.close();
  await once(server, "close");
  return port;
};

const portOf = async (server: Server): Promise<number> => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
};
