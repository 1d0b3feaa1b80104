import { AuditListQuery, AuditPage, ErrorBody } from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { AuditLog } from "../../pipeline/ports.ts";
import { typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";
import { wireTime } from "./wire-time.ts";

export type AdminAuditDoorDeps = Readonly<{ access: AdminAccess; audit: AuditLog }>;

/** Who did what, when, and how it ended. */
export const adminAuditDoor = (server: FastifyInstance, deps: AdminAuditDoorDeps): void => {
  const app = typedApp(server);
  app.get(
    "/admin/audit",
    {
      schema: {
        tags: ["Audit"],
        security: [{ bearer: [] }],
        summary: "Audit rows, newest first",
        querystring: AuditListQuery,
        response: { 200: AuditPage, "4xx": ErrorBody },
      },
    },
    async (request) => {
      await deps.access.demandAdmin(request);
      const { query } = request;
      const page = await deps.audit.list({ ...query, limit: query.limit ?? 100 });
      const data = page.data.map(({ at, clientIp, detail, ...row }) => ({
        ...row,
        at: wireTime(at),
        detail: detail === null ? null : { ...detail },
        client_ip: clientIp,
      }));
      return { data, next_cursor: page.next_cursor };
    },
  );
};
