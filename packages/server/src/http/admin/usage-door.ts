import {
  ErrorBody,
  UsageQuery,
  UsageReport,
  UsageRequestPage,
  UsageRequestsQuery,
} from "@claude-relay/contract";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { UsageQueries } from "../../pipeline/ports.ts";
import { type TypedApp, typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";
import { csv } from "./csv.ts";
import { dimensionsOf, filterOf, narrow } from "./usage-query.ts";
import { summaryRows, wireRow, wireSummary } from "./usage-wire.ts";

export type AdminUsageDoorDeps = Readonly<{ usage: UsageQueries; access: AdminAccess }>;

/** What was used and what it cost. A device sees only itself. */
export const adminUsageDoor = (server: FastifyInstance, deps: AdminUsageDoorDeps): void => {
  const app = typedApp(server);
  offerSums(app, deps);
  offerRows(app, deps);
};

const common = { tags: ["Usage"], security: [{ bearer: [] }] };

const offerSums = (app: TypedApp, { usage, access }: AdminUsageDoorDeps): void => {
  app.get(
    "/admin/usage",
    {
      schema: {
        ...common,
        summary: "Sums of usage and cost",
        querystring: UsageQuery,
        response: { 200: UsageReport, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const filter = narrow(filterOf(query), await access.viewer(request));
      const groupBy = dimensionsOf(query.group_by);
      const summary = await usage.summary({ ...filter, groupBy });
      return query.format === "csv"
        ? sendCsv(reply, "usage", summaryRows(summary, groupBy))
        : reply.send(wireSummary(summary, groupBy, filter));
    },
  );
};

const offerRows = (app: TypedApp, { usage, access }: AdminUsageDoorDeps): void => {
  app.get(
    "/admin/usage/requests",
    {
      schema: {
        ...common,
        summary: "Ledger rows, newest first",
        querystring: UsageRequestsQuery,
        response: { 200: UsageRequestPage, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const filter = narrow(filterOf(query), await access.viewer(request));
      const page = await usage.rows({
        ...filter,
        status: query.status,
        limit: query.limit ?? 100,
        cursor: query.cursor,
      });
      const data = page.data.map(wireRow);
      return query.format === "csv"
        ? sendCsv(reply, "requests", data)
        : reply.send({ data, next_cursor: page.next_cursor });
    },
  );
};

const sendCsv = (
  reply: FastifyReply,
  name: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): FastifyReply =>
  reply
    .serializer((text: unknown) => String(text))
    .header("content-type", "text/csv; charset=utf-8")
    .header("content-disposition", `attachment; filename="${name}.csv"`)
    .send(csv(rows));
