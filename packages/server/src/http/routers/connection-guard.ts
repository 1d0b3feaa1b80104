import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { isLoopbackAddress } from "../../pipeline/loopback.ts";

type Limits = Readonly<{
  /** Connections of one address. A router has one or two. */
  perAddress: number;
  /** The same for this machine, where a tunnel or proxy ends that many share. */
  perLoopback: number;
  /** Of all together. */
  inAll: number;
}>;

/** An open connection, and whether a request on it is being answered. */
type Line = { readonly socket: Socket; readonly address: string; isBusy: boolean };

/**
 * Keeps strangers from taking all of a server's connections. When there are too many, the one that has been idle
 * longest makes way, of the same address first; where none is idle, the new one is closed.
 */
export const guardConnections = (server: Server, limits: Limits): void => {
  const guard = new ConnectionGuard(limits);
  server.on("connection", (socket: Socket) => guard.opened(socket));
  server.on("request", (request: IncomingMessage, response: ServerResponse) =>
    guard.asked(portOf(request.socket), response),
  );
};

/** What a connection is known by: over TLS a request's socket is not the one that was opened. */
const portOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

class ConnectionGuard {
  readonly #limits: Limits;
  /** The longest open first. */
  readonly #lines = new Map<string, Line>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  opened(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    const name = portOf(socket);
    if (!this.#hasRoom(address)) {
      socket.destroy();
      return;
    }
    const line: Line = { socket, address, isBusy: false };
    this.#lines.set(name, line);
    socket.once("close", () => {
      if (this.#lines.get(name) === line) {
        this.#lines.delete(name);
      }
    });
  }

  asked(name: string, response: ServerResponse): void {
    const line = this.#lines.get(name);
    if (line === undefined) {
      return;
    }
    line.isBusy = true;
    response.once("close", () => {
      line.isBusy = false;
      // From here on it is idle: behind those that have been so for longer.
      if (this.#lines.delete(name)) {
        this.#lines.set(name, line);
      }
    });
  }

  #hasRoom(address: string): boolean {
    const { perAddress, perLoopback, inAll } = this.#limits;
    const most = isLoopbackAddress(address.replace(/^::ffff:/, "")) ? perLoopback : perAddress;
    const own = [...this.#lines.values()].filter((line) => line.address === address);
    if (own.length >= most) {
      return this.#close(own);
    }
    return this.#lines.size < inAll || this.#close(this.#lines.values());
  }

  /** Closes the first idle one. Gives false when none is. */
  #close(lines: Iterable<Line>): boolean {
    for (const { socket, isBusy } of lines) {
      if (!isBusy) {
        this.#lines.delete(portOf(socket));
        socket.destroy();
        return true;
      }
    }
    return false;
  }
}
