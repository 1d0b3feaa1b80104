import {
  EnrollmentCode,
  EnrollmentCodeListQuery,
  EnrollmentCodePage,
  EnrollmentCodeParams,
  ErrorBody,
  MintedEnrollmentCode,
  NewEnrollmentCodeBody,
  type OrganizationId,
  type UserId,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { EnrollmentCodeAdmin } from "../../pipeline/credential-ports.ts";
import type { EnrollmentCodeRecord } from "../../pipeline/ports.ts";
import { type TypedApp, typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";
import { wireTime, wireTimeOrNull } from "./wire-time.ts";

export type AdminCodesDoorDeps = Readonly<{ access: AdminAccess; codes: EnrollmentCodeAdmin }>;

/** Enrollment codes: what a device brings to `/bootstrap` under `BOOTSTRAP=code`. */
export const adminCodesDoor = (server: FastifyInstance, deps: AdminCodesDoorDeps): void => {
  const app = typedApp(server);
  app.addHook("onRequest", (request) => deps.access.demandAdmin(request));
  offerMinting(app, deps);
  offerListAndRevoking(app, deps);
};

const common = { tags: ["Enrollment codes"], security: [{ bearer: [] }] };

const offerMinting = (app: TypedApp, { access, codes }: AdminCodesDoorDeps): void => {
  app.post(
    "/admin/enrollment-codes",
    {
      schema: {
        ...common,
        summary: "Mint a code; shown once",
        body: NewEnrollmentCodeBody,
        response: { 201: MintedEnrollmentCode, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const { code, record } = await codes.mint(
        {
          label: body.label ?? null,
          maxUses: body.max_uses ?? 1,
          expiresInHours: body.expires_in_hours ?? 24,
          models: body.models ?? null,
          requestsPerMinute: body.requests_per_minute ?? null,
          userId: (body.user_id ?? null) as UserId | null,
          organizationId: (body.organization_id ?? null) as OrganizationId | null,
        },
        access.ip(request),
      );
      return reply.code(201).send({ ...wire(record), enrollment_code: code });
    },
  );
};

const offerListAndRevoking = (app: TypedApp, { access, codes }: AdminCodesDoorDeps): void => {
  app.get(
    "/admin/enrollment-codes",
    {
      schema: {
        ...common,
        summary: "List codes, newest first",
        querystring: EnrollmentCodeListQuery,
        response: { 200: EnrollmentCodePage, "4xx": ErrorBody },
      },
    },
    async ({ query }) => {
      const page = await codes.list({ ...query, limit: query.limit ?? 100 });
      return { data: page.data.map(wire), next_cursor: page.next_cursor };
    },
  );

  app.delete(
    "/admin/enrollment-codes/:id",
    {
      schema: {
        ...common,
        summary: "Revoke a code",
        params: EnrollmentCodeParams,
        response: { 200: EnrollmentCode, "4xx": ErrorBody },
      },
    },
    async (request) => wire(await codes.revoke(request.params.id, access.ip(request))),
  );
};

const wire = (record: EnrollmentCodeRecord): EnrollmentCode => ({
  id: record.id,
  label: record.label,
  uses_left: record.usesLeft,
  max_uses: record.maxUses,
  expires_at: wireTime(record.expiresAt),
  created_at: wireTime(record.createdAt),
  revoked_at: wireTimeOrNull(record.revokedAt),
  models: record.models === null ? null : [...record.models],
  requests_per_minute: record.requestsPerMinute,
  user_id: record.userId,
  organization_id: record.organizationId,
});
