import {
  ErrorBody,
  NewUserBody,
  type OrganizationId,
  OwnerParams,
  User,
  UserChangesBody,
  type UserId,
  UserListQuery,
  UserPage,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { UserAdmin } from "../../pipeline/owner-admin-ports.ts";
import type { UserRecord } from "../../pipeline/owner-ports.ts";
import { type TypedApp, typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";
import { wireTime } from "./wire-time.ts";

export type AdminUsersDoorDeps = Readonly<{ access: AdminAccess; users: UserAdmin }>;

/** Users: who devices and app keys belong to. */
export const adminUsersDoor = (server: FastifyInstance, deps: AdminUsersDoorDeps): void => {
  const app = typedApp(server);
  app.addHook("onRequest", (request) => deps.access.demandAdmin(request));
  offerReading(app, deps);
  offerChanging(app, deps);
};

const common = { tags: ["Users"], security: [{ bearer: [] }] };
const one = { ...common, params: OwnerParams, response: { 200: User, "4xx": ErrorBody } };

const offerReading = (app: TypedApp, { users }: AdminUsersDoorDeps): void => {
  app.get(
    "/admin/users",
    {
      schema: {
        ...common,
        summary: "List users, newest first",
        querystring: UserListQuery,
        response: { 200: UserPage, "4xx": ErrorBody },
      },
    },
    async ({ query }) => {
      const page = await users.list({ ...query, limit: query.limit ?? 100 });
      return { data: page.data.map(wire), next_cursor: page.next_cursor };
    },
  );

  app.get("/admin/users/:id", { schema: { ...one, summary: "Get a user" } }, async ({ params }) =>
    wire(users.get(params.id as UserId)),
  );
};

const offerChanging = (app: TypedApp, { access, users }: AdminUsersDoorDeps): void => {
  app.post(
    "/admin/users",
    {
      schema: {
        ...common,
        summary: "Create a user",
        body: NewUserBody,
        response: { 201: User, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      const { id, name = null, organization_id: organization = null } = request.body;
      const settings = { name, organizationId: organization as OrganizationId | null };
      const created = await users.create(id as UserId, settings, access.ip(request));
      return reply.code(201).send(wire(created));
    },
  );

  app.patch(
    "/admin/users/:id",
    { schema: { ...one, summary: "Change a user", body: UserChangesBody } },
    async (request) => {
      const { name, organization_id: organization } = request.body;
      const changes = {
        ...(name !== undefined && { name }),
        ...(organization !== undefined && {
          organizationId: organization as OrganizationId | null,
        }),
      };
      return wire(await users.change(request.params.id as UserId, changes, access.ip(request)));
    },
  );

  app.delete(
    "/admin/users/:id",
    { schema: { ...one, summary: "Delete a user to whom nothing belongs, and their policy" } },
    async (request) => wire(await users.remove(request.params.id as UserId, access.ip(request))),
  );
};

const wire = ({ id, name, organizationId, createdAt }: UserRecord): User => ({
  id,
  name,
  organization_id: organizationId,
  created_at: wireTime(createdAt),
});
