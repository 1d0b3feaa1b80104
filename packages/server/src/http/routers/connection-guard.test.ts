import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { guardConnections } from "./connection-guard.ts";

type Limits = Parameters<typeof guardConnections>[1];

/** A server that leaves each request to the test. */
const start = async (t: TestContext, limits: Limits) => {
  const asked: ServerResponse[] = [];
  const waiting: ((response: ServerResponse) => void)[] = [];
  const server = createServer((_request, response) => {
    const tell = waiting.shift();
    if (tell === undefined) {
      asked.push(response);
    } else {
      tell(response);
    }
  });
  guardConnections(server, limits);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = async (localAddress = "127.0.0.1"): Promise<Socket> => {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    socket.on("error", () => undefined);
    const opened = once(server, "connection");
    await once(socket, "connect");
    await opened;
    return socket;
  };
  /** Asks on a connection; gives what the server has to answer with. */
  const ask = (socket: Socket): Promise<ServerResponse> => {
    const { promise, resolve } = Promise.withResolvers<ServerResponse>();
    waiting.push(resolve);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    return promise;
  };
  const answer = async (socket: Socket, response: ServerResponse): Promise<void> => {
    const read = once(socket, "data");
    response.end("ok");
    await Promise.all([read, once(response, "close")]);
  };
  return { open, ask, answer };
};

const few: Limits = { perAddress: 2, perLoopback: 2, inAll: 3 };

describe("a listener's connections", () => {
  it("of one address are so many: the one idle longest makes way for a new one", async (t) => {
    const { open, ask, answer } = await start(t, few);
    const first = await open();
    const second = await open();
    await answer(first, await ask(first));
    // The first was asked last: the second has been idle for longer.
    const closed = once(second, "close");
    const third = await open();
    await closed;
    await answer(third, await ask(third));
    await answer(first, await ask(first));
  });

  it("that are being answered stay, and a new one is closed", async (t) => {
    const { open, ask, answer } = await start(t, few);
    const first = await open();
    const second = await open();
    const busy = [await ask(first), await ask(second)];
    const third = await open();
    await once(third, "close");
    await answer(first, busy[0]!);
    await answer(second, busy[1]!);
    const fourth = await open();
    await answer(fourth, await ask(fourth));
  });

  it("of one address leave room for others, and all together are so many", async (t) => {
    const { open, ask, answer } = await start(t, { ...few, perAddress: 1 });
    const first = await open("127.0.0.2");
    const second = await open("127.0.0.2");
    const other = await open("127.0.0.3");
    const closed = once(first, "close");
    const last = await open("127.0.0.4");
    await closed;
    for (const socket of [second, other, last]) {
      await answer(socket, await ask(socket));
    }
  });
});
