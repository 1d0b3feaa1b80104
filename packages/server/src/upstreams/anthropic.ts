import type { IncomingHttpHeaders } from "node:http";
import { type Dispatcher, Pool } from "undici";
import type { Log } from "../pipeline/log.ts";
import type {
  Upstream,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamReceiver,
  UpstreamRequest,
} from "../pipeline/types.ts";
import type { CircuitBreaker, Passage } from "./circuit-breaker.ts";
import type { KeyPool, PooledKey } from "./key-pool.ts";
import { upstreamMethod, upstreamPath } from "./upstream-paths.ts";

type Options = Readonly<{
  name: string;
  /** Without a trailing slash; a path in it stands before `/v1/…`. */
  baseUrl: string;
  keys: KeyPool;
  breaker: CircuitBreaker;
  connectTimeoutMs: number;
  headersTimeoutMs: number;
  idleTimeoutMs: number;
  log: Log;
  /** Told of each answer and the key it was given to, those included that are thrown away for the next key's. */
  onAnswer?: (
    key: string,
    request: UpstreamRequest,
    status: number,
    headers: IncomingHttpHeaders,
  ) => void;
}>;

/**
 * Anthropic's API (or the simulator, which speaks it) through undici's `dispatch`: pooled HTTP/1.1
 * connections, TLS verified, bytes handed on as they come. The only retry is by key: one that is
 * answered 429 or 401 rests and the next is tried, before anything was handed on and never after.
 */
export const createAnthropicUpstream = (
  options: Options,
): Upstream & { close(): Promise<void> } => {
  const { origin, pathname } = new URL(options.baseUrl);
  const prefix = pathname === "/" ? "" : pathname;
  const pool = new Pool(origin, {
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.idleTimeoutMs,
    connect: { timeout: options.connectTimeoutMs },
  });
  return {
    name: options.name,
    send(request, receiver) {
      const passage = options.breaker.enter();
      if (passage === null) {
        const retryAfterMs = options.breaker.snapshot().retryAfterMs;
        // Later, so that the sender holds the exchange before it hears of its end.
        queueMicrotask(() =>
          receiver.onFailure({
            kind: "breaker_open",
            retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)),
            sent: false,
          }),
        );
        return idle;
      }
      return new Call(options, pool, prefix, passage, request, receiver).dispatch();
    },
    close: () => pool.destroy(),
  };
};

const idle: UpstreamExchange = { pause() {}, resume() {}, cancel() {}, sent: false };

const cancelled = new Error("the caller left");

/** One call, possibly over several keys. /!\ Hot path. */
class Call implements Dispatcher.DispatchHandler, UpstreamExchange {
  readonly #options: Options;
  readonly #pool: Pool;
  readonly #path: string;
  readonly #passage: Passage;
  readonly #request: UpstreamRequest;
  readonly #receiver: UpstreamReceiver;
  #key: PooledKey;
  #controller: Dispatcher.DispatchController | null = null;
  #sent = false;
  #answered = false;
  #cancelled = false;
  /** This answer is thrown away: the next key's counts. */
  #discarding = false;

  constructor(
    options: Options,
    pool: Pool,
    prefix: string,
    passage: Passage,
    request: UpstreamRequest,
    receiver: UpstreamReceiver,
  ) {
    this.#options = options;
    this.#pool = pool;
    this.#path = prefix + upstreamPath(request.operation);
    this.#passage = passage;
    this.#request = request;
    this.#receiver = receiver;
    this.#key = options.keys.take();
  }

  dispatch(): this {
    const { headers, body, operation } = this.#request;
    this.#pool.dispatch(
      {
        path: this.#path,
        method: upstreamMethod(operation),
        headers: [...headers, "x-api-key", this.#key.key],
        body,
      },
      this,
    );
    return this;
  }

  get sent(): boolean {
    return this.#sent;
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#passage.withdrawn();
    this.#controller?.abort(cancelled);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cancelled) {
      controller.abort(cancelled);
      return;
    }
    this.#sent = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) {
      return;
    }
    this.#options.onAnswer?.(this.#key.label, this.#request, status, headers);
    if ((status === 429 || status === 401) && this.#tryNextKey(controller, status, headers)) {
      return;
    }
    this.#answered = true;
    if (status >= 500) {
      this.#passage.failed(`upstream answered ${status}`);
    } else {
      this.#passage.succeeded();
    }
    this.#receiver.onStart(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#cancelled && !this.#discarding) {
      this.#receiver.onData(chunk);
    }
  }

  onResponseEnd(): void {
    if (!this.#cancelled && !this.#discarding) {
      this.#receiver.onEnd();
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#cancelled) {
      return;
    }
    if (this.#discarding) {
      this.#discarding = false;
      this.#sent = false;
      this.dispatch();
      return;
    }
    const failure = failureOf(error, this.#sent);
    if (!this.#answered) {
      this.#passage.failed(error.message);
    }
    this.#options.log.warn({ upstream: this.#options.name, failure }, "Upstream failed");
    this.#receiver.onFailure(failure);
  }

  #tryNextKey(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): boolean {
    const { keys, log } = this.#options;
    if (keys.size === 1) {
      if (status === 401) {
        log.error({}, "Upstream rejects our API key: check ANTHROPIC_API_KEY");
      }
      return false;
    }
    const restMs = keys.rest(this.#key, status, headers["retry-after"]);
    log.warn({ key: this.#key.label, status, restMs }, "API key laid to rest");
    const next = keys.takeAnother();
    if (next === null) {
      return false;
    }
    this.#key = next;
    this.#discarding = true;
    controller.abort(new Error("trying the next key"));
    return true;
  }
}

/** undici's codes for an exchange that took too long. */
const timeouts = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

const failureOf = (error: Error, sent: boolean): UpstreamFailure => {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const kind = timeouts.has(code) ? "timeout" : "unreachable";
  // The code alone: messages may name addresses that are none of the caller's business.
  return { kind, message: code || "the connection failed", sent };
};
