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
import { requestColumns, summaryColumns, summaryRows, wireRow, wireSummary } from "./usage-wire.ts";

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
      const viewer = await access.viewer(request);
      const { query } = request;
      const filter = narrow(filterOf(query), viewer);
      const groupBy = dimensionsOf(query.group_by);
      const summary = await usage.summary({ ...filter, groupBy });
      if (query.format !== "csv") {
        return reply.send(wireSummary(summary, groupBy, filter));
      }
      if (summary.truncated) {
        reply.header("x-relay-truncated", "true");
      }
      return sendCsv(reply, "usage", csv(summaryColumns(groupBy), summaryRows(summary, groupBy)));
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
      const viewer = await access.viewer(request);
      const { query } = request;
      const filter = narrow(filterOf(query), viewer);
      const { limit = 100, cursor } = query;
      const { data: rows, next_cursor } = await usage.rows({ ...filter, limit, cursor });
      const data = rows.map(wireRow);
      nameNextPage(reply, query, next_cursor);
      return query.format === "csv"
        ? sendCsv(reply, "requests", csv(requestColumns, data))
        : reply.send({ data, next_cursor });
    },
  );
};

/**
 * Where the next page is, for readers of CSV and for tools that follow links (RFC 8288). The target has no
 * path: it is resolved against the address the client itself used, whatever proxy stands between.
 */
const nameNextPage = (reply: FastifyReply, query: object, cursor: string | null): void => {
  if (cursor === null) {
    return;
  }
  const next = new URLSearchParams({ ...asked(query), cursor });
  reply.header("link", `<?${next}>; rel="next"`).header("x-relay-next-cursor", cursor);
};

const asked = (query: object): Record<string, string> =>
  Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));

const sendCsv = (reply: FastifyReply, name: string, text: string): FastifyReply =>
  reply
    .serializer(String)
    .header("content-type", "text/csv; charset=utf-8")
    .header("content-disposition", `attachment; filename="${name}.csv"`)
    .send(text);
