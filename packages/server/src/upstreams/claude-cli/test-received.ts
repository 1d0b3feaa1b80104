import type { IncomingHttpHeaders } from "node:http";
import type { UpstreamFailure, UpstreamReceiver } from "../../pipeline/types.ts";

/** What a caller received, and a wait for each step. */
export class Received implements UpstreamReceiver {
  status = 0;
  headers: IncomingHttpHeaders = {};
  text = "";
  bytes = 0;
  failure: UpstreamFailure | null = null;
  ended = false;
  readonly #over = Promise.withResolvers<void>();
  readonly #begun = Promise.withResolvers<void>();
  /** Resolves at the end or the failure. */
  readonly over: Promise<void> = this.#over.promise;
  /** Resolves with the first byte of the answer. */
  readonly begun: Promise<void> = this.#begun.promise;
  keepText = true;

  onStart(status: number, headers: IncomingHttpHeaders): void {
    if (this.status !== 0) {
      throw new Error("started twice");
    }
    this.status = status;
    this.headers = headers;
  }

  onData(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.text += this.keepText ? chunk : "";
    this.#begun.resolve();
  }

  onEnd(): void {
    this.#finish();
    this.ended = true;
  }

  onFailure(failure: UpstreamFailure): void {
    this.#finish();
    this.failure = failure;
  }

  #finish(): void {
    if (this.ended || this.failure !== null) {
      throw new Error("ended twice");
    }
    this.#over.resolve();
  }
}
