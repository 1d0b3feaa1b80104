import { CircuitBreakerStatus, ErrorBody } from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import { typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";

export type AdminBreakerDoorDeps = Readonly<{
  access: AdminAccess;
  status: () => CircuitBreakerStatus;
  /** Closes the breaker by hand; audited. */
  reset: (clientIp: string) => Promise<void>;
}>;

export const adminBreakerDoor = (server: FastifyInstance, deps: AdminBreakerDoorDeps): void => {
  const app = typedApp(server);
  const schema = {
    tags: ["Circuit breaker"],
    security: [{ bearer: [] }],
    response: { 200: CircuitBreakerStatus, "4xx": ErrorBody },
  };

  app.get(
    "/admin/circuit-breaker",
    { schema: { ...schema, summary: "Its state" } },
    async (request) => {
      await deps.access.viewer(request);
      return deps.status();
    },
  );

  app.post(
    "/admin/circuit-breaker/reset",
    { schema: { ...schema, summary: "Close it by hand (admin)" } },
    async (request) => {
      await deps.access.demandAdmin(request);
      await deps.reset(deps.access.ip(request));
      return deps.status();
    },
  );
};
