import {
  type DeviceId,
  type EpochMs,
  ErrorBody,
  type ModelId,
  type OrganizationId,
  UsageQuery,
  UsageReport,
  UsageRequestPage,
  UsageRequestsQuery,
  type UserId,
} from "@claude-relay/contract";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { RequestRow, UsageDimension, UsageFilter, UsageQueries } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { AdminAccess, Viewer } from "./admin-access.ts";
import { csv } from "./csv.ts";

export type AdminUsageDoorDeps = Readonly<{ usage: UsageQueries; access: AdminAccess }>;

/** What was used and what it cost. A device sees only itself. */
export const adminUsageDoor = (server: FastifyInstance, deps: AdminUsageDoorDeps): void => {
  const app = server.withTypeProvider<TypeBoxTypeProvider>();
  const tags = ["Usage"];
  const security = [{ bearer: [] }];

  app.get(
    "/admin/usage",
    {
      schema: {
        tags,
        security,
        summary: "Sums of usage and cost",
        querystring: UsageQuery,
        response: { 200: UsageReport, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const filter = narrow(filterOf(query), await deps.access.viewer(request));
      const groupBy = dimensions(query.group_by);
      const summary = await deps.usage.summary({ ...filter, groupBy });
      const rename = (group: Readonly<Record<string, string | number | null>>) =>
        Object.fromEntries(groupBy.map((name) => [wireName(name), group[name] ?? null]));
      if (query.format === "csv") {
        const rows =
          groupBy.length === 0
            ? [flat({}, summary.totals)]
            : summary.groups.map(({ group, ...totals }) => flat(rename(group), totals));
        return sendCsv(reply, "usage", rows);
      }
      return reply.send({
        from: time(filter.from),
        to: time(filter.to),
        totals: summary.totals,
        groups: summary.groups.map(({ group, ...totals }) => ({ group: rename(group), ...totals })),
        truncated: summary.truncated,
      });
    },
  );

  app.get(
    "/admin/usage/requests",
    {
      schema: {
        tags,
        security,
        summary: "Ledger rows, newest first",
        querystring: UsageRequestsQuery,
        response: { 200: UsageRequestPage, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const filter = narrow(filterOf(query), await deps.access.viewer(request));
      const page = await deps.usage.rows({
        ...filter,
        status: query.status,
        limit: query.limit ?? 100,
        cursor: query.cursor,
      });
      const data = page.data.map(wireRow);
      if (query.format === "csv") {
        return sendCsv(reply, "requests", data);
      }
      return reply.send({ data, next_cursor: page.next_cursor });
    },
  );
};

type FilterQuery = Readonly<{
  from?: string;
  to?: string;
  device?: string;
  user?: string;
  org?: string;
  model?: string;
}>;

const filterOf = (query: FilterQuery): UsageFilter => ({
  from: instant("from", query.from),
  to: instant("to", query.to),
  device: query.device as DeviceId | undefined,
  user: query.user as UserId | undefined,
  organization: query.org as OrganizationId | undefined,
  model: query.model as ModelId | undefined,
});

/** @throws Refusal `forbidden` when a caller asks for another's usage */
const narrow = (filter: UsageFilter, viewer: Viewer): UsageFilter => {
  if (viewer.kind === "admin") {
    return filter;
  }
  const own = viewer.caller.id;
  if (filter.device !== undefined && filter.device !== own) {
    throw new Refusal("forbidden", "A device sees only its own usage: leave `device` out.");
  }
  return { ...filter, device: own };
};

const instant = (field: string, value: string | undefined): EpochMs | undefined => {
  if (value === undefined) {
    return undefined;
  }
  const parsed = Date.parse(value);
  if (Number.isNaN(parsed)) {
    throw new Refusal(
      "invalid_request",
      `${field} must be a time such as 2026-11-21 or 2026-11-21T13:00:00Z.`,
    );
  }
  return parsed as EpochMs;
};

const dimensions = (groupBy: string | undefined): UsageDimension[] =>
  [...new Set(groupBy?.split(",") ?? [])].map((name) =>
    name === "org" ? "organization" : (name as UsageDimension),
  );

const wireName = (dimension: UsageDimension): string =>
  dimension === "organization" ? "org" : dimension;

const time = (at: number | null | undefined): string | null =>
  at === null || at === undefined ? null : new Date(at).toISOString();

const wireRow = (row: RequestRow) => ({
  ...row,
  started_at: new Date(row.started_at).toISOString(),
  finished_at: time(row.finished_at),
  iterations: row.iterations === null ? null : row.iterations.map(wireIteration),
});

const wireIteration = (part: NonNullable<RequestRow["iterations"]>[number]) => ({
  model: part.model,
  input_tokens: part.inputTokens,
  output_tokens: part.outputTokens,
  cache_read_input_tokens: part.cacheReadInputTokens,
  cache_creation_5m_input_tokens: part.cacheCreation5mInputTokens,
  cache_creation_1h_input_tokens: part.cacheCreation1hInputTokens,
});

const flat = (
  group: Readonly<Record<string, unknown>>,
  {
    duration_ms,
    ...totals
  }: Readonly<Record<string, unknown>> &
    Readonly<{ duration_ms: Readonly<{ p50: number; p95: number; p99: number }> | null }>,
): Record<string, unknown> => ({
  ...group,
  ...totals,
  duration_ms_p50: duration_ms?.p50 ?? null,
  duration_ms_p95: duration_ms?.p95 ?? null,
  duration_ms_p99: duration_ms?.p99 ?? null,
});

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
