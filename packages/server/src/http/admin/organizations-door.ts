import {
  ErrorBody,
  NewOrganizationBody,
  Organization,
  OrganizationChangesBody,
  type OrganizationId,
  OrganizationListQuery,
  OrganizationPage,
  OwnerParams,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { OrganizationAdmin } from "../../pipeline/owner-admin-ports.ts";
import type { OrganizationRecord } from "../../pipeline/owner-ports.ts";
import { type TypedApp, typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";
import { wireTime } from "./wire-time.ts";

export type AdminOrganizationsDoorDeps = Readonly<{
  access: AdminAccess;
  organizations: OrganizationAdmin;
}>;

/** Organizations: what users, devices and app keys belong to. */
export const adminOrganizationsDoor = (
  server: FastifyInstance,
  deps: AdminOrganizationsDoorDeps,
): void => {
  const app = typedApp(server);
  app.addHook("onRequest", (request) => deps.access.demandAdmin(request));
  offerReading(app, deps);
  offerChanging(app, deps);
};

const common = { tags: ["Organizations"], security: [{ bearer: [] }] };
const one = { ...common, params: OwnerParams, response: { 200: Organization, "4xx": ErrorBody } };

const offerReading = (app: TypedApp, { organizations }: AdminOrganizationsDoorDeps): void => {
  app.get(
    "/admin/organizations",
    {
      schema: {
        ...common,
        summary: "List organizations, newest first",
        querystring: OrganizationListQuery,
        response: { 200: OrganizationPage, "4xx": ErrorBody },
      },
    },
    async ({ query }) => {
      const page = await organizations.list({ ...query, limit: query.limit ?? 100 });
      return { data: page.data.map(wire), next_cursor: page.next_cursor };
    },
  );

  app.get(
    "/admin/organizations/:id",
    { schema: { ...one, summary: "Get an organization" } },
    async ({ params }) => wire(organizations.get(params.id as OrganizationId)),
  );
};

const offerChanging = (
  app: TypedApp,
  { access, organizations }: AdminOrganizationsDoorDeps,
): void => {
  app.post(
    "/admin/organizations",
    {
      schema: {
        ...common,
        summary: "Create an organization",
        body: NewOrganizationBody,
        response: { 201: Organization, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      const { id, name = null } = request.body;
      const settings = { name };
      const created = await organizations.create(
        id as OrganizationId,
        settings,
        access.ip(request),
      );
      return reply.code(201).send(wire(created));
    },
  );

  app.patch(
    "/admin/organizations/:id",
    { schema: { ...one, summary: "Change an organization", body: OrganizationChangesBody } },
    async (request) => {
      const { name } = request.body;
      const id = request.params.id as OrganizationId;
      const changes = name === undefined ? {} : { name };
      return wire(await organizations.change(id, changes, access.ip(request)));
    },
  );

  app.delete(
    "/admin/organizations/:id",
    { schema: { ...one, summary: "Delete an organization nobody belongs to, and its policy" } },
    async (request) =>
      wire(await organizations.remove(request.params.id as OrganizationId, access.ip(request))),
  );
};

const wire = ({ id, name, createdAt }: OrganizationRecord): Organization => ({
  id,
  name,
  created_at: wireTime(createdAt),
});
