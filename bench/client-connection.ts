/** One keep-alive connection of the load generator: one request at a time. */

import { connect, type Socket } from "node:net";
import { ResponseReader } from "./response-reader.ts";

type Done = (error: Error | null) => void;

export class ClientConnection {
  /** Settles once the connection stands. */
  readonly opened: Promise<void>;
  /** Called with what arrives, before it is read; for counting events. */
  onData: ((data: Buffer) => void) | null = null;
  readonly #socket: Socket;
  readonly #reader = new ResponseReader();
  #done: Done | null = null;
  #closing = false;

  constructor(port: number) {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    this.opened = new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    // A connection that fails before anyone waits for it is told through `send`.
    this.opened.catch(() => undefined);
    socket.on("data", (data) => this.#receive(data as Buffer));
    socket.on("error", (error) => this.#finish(error));
    socket.on("close", () => {
      if (!this.#closing) {
        this.#finish(new Error("the server closed the connection"));
      }
    });
  }

  /** Sends a request and calls `done` once its whole answer arrived, or failed. */
  send(request: Buffer, done: Done): void {
    this.#done = done;
    if (this.#socket.destroyed) {
      this.#finish(new Error("the server closed the connection"));
    } else {
      this.#socket.write(request);
    }
  }

  close(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  #receive(data: Buffer): void {
    this.onData?.(data);
    try {
      if (!this.#reader.feed(data)) {
        return;
      }
    } catch (error) {
      this.#finish(error as Error);
      return;
    }
    const { status, complaint } = this.#reader;
    this.#reader.reset();
    this.#finish(status === 200 ? null : new Error(`status ${status}: ${complaint}`));
  }

  #finish(error: Error | null): void {
    const done = this.#done;
    this.#done = null;
    done?.(error);
  }
}
