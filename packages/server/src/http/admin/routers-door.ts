import {
  ErrorBody,
  KnownRouter,
  NewRouterBody,
  RouterChangesBody,
  type RouterId,
  RouterListQuery,
  RouterPage,
  RouterParams,
  RouterWithSecret,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { Directory } from "../../pipeline/owner-ports.ts";
import type { RouterAdmin, RouterRecord } from "../../pipeline/router-ports.ts";
import { type TypedApp, typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";
import { callerSettingsOf } from "./caller-settings.ts";
import { wireTime, wireTimeOrNull } from "./wire-time.ts";

export type AdminRoutersDoorDeps = Readonly<{
  access: AdminAccess;
  routers: RouterAdmin;
  directory: Pick<Directory, "organizationOf">;
}>;

/** Routers: what a MikroTik router signs with, and what it may do. */
export const adminRoutersDoor = (server: FastifyInstance, deps: AdminRoutersDoorDeps): void => {
  const app = typedApp(server);
  app.addHook("onRequest", (request) => deps.access.demandAdmin(request));
  offerAdding(app, deps);
  offerReading(app, deps);
  offerChanging(app, deps);
};

const common = { tags: ["Routers"], security: [{ bearer: [] }] };

const offerAdding = (app: TypedApp, { access, routers, directory }: AdminRoutersDoorDeps): void => {
  app.post(
    "/admin/routers",
    {
      schema: {
        ...common,
        summary: "Add a router; its secret is shown once",
        body: NewRouterBody,
        response: { 201: RouterWithSecret, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      const { id, ...policy } = request.body;
      const added = await routers.add(id as RouterId, callerSettingsOf(policy), access.ip(request));
      return reply.code(201).send({ ...wire(added.record, directory), secret: added.secret });
    },
  );

  app.post(
    "/admin/routers/:id/rotate",
    {
      schema: {
        ...common,
        summary: "Give a router a new secret, shown once; the old one ends at once",
        params: RouterParams,
        response: { 200: RouterWithSecret, "4xx": ErrorBody },
      },
    },
    async (request) => {
      const rotated = await routers.rotate(request.params.id as RouterId, access.ip(request));
      return { ...wire(rotated.record, directory), secret: rotated.secret };
    },
  );
};

const offerReading = (app: TypedApp, { routers, directory }: AdminRoutersDoorDeps): void => {
  app.get(
    "/admin/routers",
    {
      schema: {
        ...common,
        summary: "List routers, newest first",
        querystring: RouterListQuery,
        response: { 200: RouterPage, "4xx": ErrorBody },
      },
    },
    async ({ query }) => {
      const page = await routers.list({ ...query, limit: query.limit ?? 100 });
      return {
        data: page.data.map((record) => wire(record, directory)),
        next_cursor: page.next_cursor,
      };
    },
  );

  app.get(
    "/admin/routers/:id",
    {
      schema: {
        ...common,
        summary: "Get a router",
        params: RouterParams,
        response: { 200: KnownRouter, "4xx": ErrorBody },
      },
    },
    async ({ params }) => wire(routers.get(params.id as RouterId), directory),
  );
};

const offerChanging = (
  app: TypedApp,
  { access, routers, directory }: AdminRoutersDoorDeps,
): void => {
  app.patch(
    "/admin/routers/:id",
    {
      schema: {
        ...common,
        summary: "Change a router's policy; a field left out stays as it is",
        params: RouterParams,
        body: RouterChangesBody,
        response: { 200: KnownRouter, "4xx": ErrorBody },
      },
    },
    async (request) => {
      const id = request.params.id as RouterId;
      const changes = callerSettingsOf(request.body);
      return wire(await routers.change(id, changes, access.ip(request)), directory);
    },
  );

  app.delete(
    "/admin/routers/:id",
    {
      schema: {
        ...common,
        summary: "Revoke a router and end its sessions, at once",
        params: RouterParams,
        response: { 200: KnownRouter, "4xx": ErrorBody },
      },
    },
    async (request) =>
      wire(await routers.revoke(request.params.id as RouterId, access.ip(request)), directory),
  );
};

const wire = (record: RouterRecord, directory: AdminRoutersDoorDeps["directory"]): KnownRouter => ({
  id: record.id,
  status: record.revokedAt === null ? "active" : "revoked",
  enrolled_by: record.enrolledBy,
  identity: record.identity,
  created_at: wireTime(record.createdAt),
  rotated_at: wireTimeOrNull(record.rotatedAt),
  revoked_at: wireTimeOrNull(record.revokedAt),
  last_seen_at: wireTimeOrNull(record.lastSeenAt),
  models: record.models === null ? null : [...record.models],
  requests_per_minute: record.requestsPerMinute,
  user_id: record.userId,
  // Its own, or its user's.
  organization_id: record.organizationId ?? directory.organizationOf(record.userId),
});
