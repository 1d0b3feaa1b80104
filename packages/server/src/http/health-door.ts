import { ErrorBody, Health, Healthz, Readyz } from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { Clock } from "../pipeline/types.ts";
import { typedApp } from "./typed-app.ts";

export type HealthDoorDeps = Readonly<{
  clock: Clock;
  version: string;
  upstream: string;
  complete: string;
  /** Null when ready; else why not. */
  notReady: () => string | null;
}>;

/** Some monitors ask with HEAD. */
const alsoHead = { exposeHeadRoute: true };

/** Is it alive, and should work be sent to it. Open to anyone. */
export const healthDoor = (server: FastifyInstance, deps: HealthDoorDeps): void => {
  const app = typedApp(server);
  const tags = ["Health"];
  const timestamp = (): string => new Date(deps.clock.now()).toISOString();

  app.get("/healthz", { ...alsoHead, schema: { tags, response: { 200: Healthz } } }, () => ({
    status: "ok" as const,
    timestamp: timestamp(),
  }));

  app.get("/health", { ...alsoHead, schema: { tags, response: { 200: Health } } }, () => ({
    status: "healthy" as const,
    timestamp: timestamp(),
    version: deps.version,
    upstream: deps.upstream,
    complete: deps.complete,
  }));

  app.get(
    "/readyz",
    {
      ...alsoHead,
      schema: {
        tags,
        description: "503 while draining or while storage is down",
        response: { 200: Readyz, 503: Readyz, "4xx": ErrorBody },
      },
    },
    async (_request, reply) => {
      const reason = deps.notReady();
      if (reason === null) {
        return reply.send({ status: "ready" });
      }
      return reply.code(503).send({ status: "not_ready", reason });
    },
  );

  // Claude Code looks here before its first request.
  for (const url of ["/", "/api/hello"]) {
    app.head(url, { schema: { hide: true } }, (_request, reply) => reply.send());
  }
};
