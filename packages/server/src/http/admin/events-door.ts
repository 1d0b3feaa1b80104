import type { ServerResponse } from "node:http";
import { ErrorBody, type RelayEvent } from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { EventBus } from "../../pipeline/events.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";

export type AdminEventsDoorDeps = Readonly<{
  access: AdminAccess;
  events: EventBus;
  /** Between comments that keep the connection from looking dead. */
  heartbeatMs: number;
  /** Aborted when the relay drains: every stream ends. */
  draining: AbortSignal;
}>;

/** Readers at a time. */
const maxStreams = 32;
/** What one reader may leave unread, in bytes: beyond, it is dropped. The system's own buffers come on top. */
const maxUnread = 64 * 1024;
/** How long a client waits before it comes back. */
const retryMs = 3000;

/** What happens, as it happens: server-sent events (WHATWG HTML §9.2). */
export const adminEventsDoor = (server: FastifyInstance, deps: AdminEventsDoorDeps): void => {
  const app = typedApp(server);
  const streams = new EventStreams(deps);
  app.get(
    "/admin/events",
    {
      schema: {
        tags: ["Events"],
        security: [{ bearer: [] }],
        summary: "Follow what happens: budget warnings, the circuit breaker, revocations (admin)",
        description:
          "Server-sent events of every instance, each a RelayEvent named by its type. Last-Event-ID catches up with up to 256 past events; the audit log has all of them",
        response: { 200: eventStream, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      await deps.access.demandAdmin(request);
      streams.demandRoom();
      reply.hijack();
      const last = request.headers["last-event-id"];
      streams.open(reply.raw, typeof last === "string" ? last : null);
    },
  );
};

const eventStream = {
  description: "Events, until either side ends it",
  content: { "text/event-stream": { schema: { type: "string" } } },
};

/** The open streams. One timer and one subscription serve them all, and none when there are none. */
class EventStreams {
  readonly #deps: AdminEventsDoorDeps;
  readonly #open = new Set<ServerResponse>();
  #stop: (() => void) | null = null;

  constructor(deps: AdminEventsDoorDeps) {
    this.#deps = deps;
    deps.draining.addEventListener("abort", () => this.#endAll(), { once: true });
  }

  /** @throws Refusal `rate_limited` */
  demandRoom(): void {
    if (this.#open.size >= maxStreams) {
      throw new Refusal(
        "rate_limited",
        `${maxStreams} readers follow /admin/events already: end one of them.`,
        { retryAfterSeconds: 10 },
      );
    }
  }

  open(response: ServerResponse, lastEventId: string | null): void {
    if (response.destroyed) {
      return;
    }
    response.on("close", () => this.#left(response));
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // nginx would gather events until its buffer is full.
      "x-accel-buffering": "no",
    });
    const missed = lastEventId === null ? [] : this.#deps.events.since(lastEventId);
    response.write(`retry: ${retryMs}\n\n${missed.map(textOf).join("")}`);
    if (this.#deps.draining.aborted) {
      response.end();
      return;
    }
    this.#open.add(response);
    this.#stop ??= this.#start();
  }

  #start(): () => void {
    const { events, heartbeatMs } = this.#deps;
    const leave = events.subscribe((event) => this.#write(textOf(event)));
    const heartbeat = setInterval(() => this.#write(": still here\n\n"), heartbeatMs).unref();
    return () => {
      leave();
      clearInterval(heartbeat);
    };
  }

  #write(text: string): void {
    for (const response of this.#open) {
      if (response.writableLength > maxUnread) {
        response.destroy();
      } else {
        response.write(text);
      }
    }
  }

  #left(response: ServerResponse): void {
    this.#open.delete(response);
    if (this.#open.size === 0) {
      this.#stop?.();
      this.#stop = null;
    }
  }

  #endAll(): void {
    for (const response of this.#open) {
      response.end();
    }
  }
}

/** JSON has no line breaks of its own, so one `data` line holds it. */
const textOf = (event: RelayEvent): string =>
  `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
