import { ErrorBody, ReconcileQuery, ReconcileReport } from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { Reconciler } from "../../pipeline/reconciler.ts";
import { typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";

export type AdminReconcileDoorDeps = Readonly<{ access: AdminAccess; reconcile: Reconciler }>;

/** The ledger held against Anthropic's own account of what it billed. */
export const adminReconcileDoor = (server: FastifyInstance, deps: AdminReconcileDoorDeps): void => {
  const app = typedApp(server);
  app.get(
    "/admin/reconcile",
    {
      schema: {
        tags: ["Usage"],
        security: [{ bearer: [] }],
        summary: "The ledger beside Anthropic's Usage and Cost Admin API, by day and model",
        querystring: ReconcileQuery,
        response: { 200: ReconcileReport, "4xx": ErrorBody, "5xx": ErrorBody },
      },
      onRequest: (request) => deps.access.demandAdmin(request),
    },
    ({ query: { from, to, tolerance_percent: tolerancePercent = 1 } }) =>
      deps.reconcile({ from, to, tolerancePercent }),
  );
};
