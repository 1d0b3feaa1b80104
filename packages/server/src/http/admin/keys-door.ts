import {
  AppKey,
  AppKeyChangesBody,
  type AppKeyId,
  AppKeyListQuery,
  AppKeyPage,
  AppKeyParams,
  type EpochMs,
  ErrorBody,
  MintedAppKey,
  NewAppKeyBody,
  RotateAppKeyBody,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { AppKeyAdmin, AppKeyRecord, AppKeySettings } from "../../pipeline/app-key-ports.ts";
import type { Directory } from "../../pipeline/owner-ports.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Clock } from "../../pipeline/types.ts";
import { type TypedApp, typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";
import { callerSettingsOf } from "./caller-settings.ts";
import { wireTime, wireTimeOrNull } from "./wire-time.ts";

export type AdminKeysDoorDeps = Readonly<{
  access: AdminAccess;
  keys: AppKeyAdmin;
  clock: Clock;
  directory: Pick<Directory, "organizationOf">;
}>;

/** App keys: what your own scripts and apps call with. */
export const adminKeysDoor = (server: FastifyInstance, deps: AdminKeysDoorDeps): void => {
  const app = typedApp(server);
  app.addHook("onRequest", (request) => deps.access.demandAdmin(request));
  offerMinting(app, deps);
  offerReading(app, deps);
  offerChanging(app, deps);
};

const common = { tags: ["App keys"], security: [{ bearer: [] }] };

const offerMinting = (app: TypedApp, { access, keys, ...view }: AdminKeysDoorDeps): void => {
  app.post(
    "/admin/keys",
    {
      schema: {
        ...common,
        summary: "Mint an app key; its secret is shown once",
        body: NewAppKeyBody,
        response: { 201: MintedAppKey, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      const { label, expires_in_hours: hours, ...policy } = request.body;
      const expiresAt =
        hours === undefined || hours === null
          ? null
          : (Math.round(view.clock.now() + hours * 3_600_000) as EpochMs);
      const settings = { ...settingsOf(policy), expiresAt };
      const minted = await keys.mint(label as AppKeyId, settings, access.ip(request));
      return reply.code(201).send({ ...wire(minted.record, view), secret: minted.secret });
    },
  );

  app.post(
    "/admin/keys/:label/rotate",
    {
      // Everything in the body has a default: none at all is a good one.
      preValidation: async (request) => {
        request.body ??= {};
      },
      schema: {
        ...common,
        summary: "Give a key a new secret; shown once",
        params: AppKeyParams,
        body: RotateAppKeyBody,
        response: { 200: MintedAppKey, "4xx": ErrorBody },
      },
    },
    async (request) => {
      const { grace_seconds: grace = 3600 } = request.body;
      const id = request.params.label as AppKeyId;
      const rotated = await keys.rotate(id, grace, access.ip(request));
      return { ...wire(rotated.record, view), secret: rotated.secret };
    },
  );
};

const offerReading = (app: TypedApp, { keys, ...view }: AdminKeysDoorDeps): void => {
  app.get(
    "/admin/keys",
    {
      schema: {
        ...common,
        summary: "List app keys, newest first",
        querystring: AppKeyListQuery,
        response: { 200: AppKeyPage, "4xx": ErrorBody },
      },
    },
    async ({ query }) => {
      const page = await keys.list({ ...query, limit: query.limit ?? 100 });
      return {
        data: page.data.map((record) => wire(record, view)),
        next_cursor: page.next_cursor,
      };
    },
  );

  app.get(
    "/admin/keys/:label",
    {
      schema: {
        ...common,
        summary: "Get an app key",
        params: AppKeyParams,
        response: { 200: AppKey, "4xx": ErrorBody },
      },
    },
    async ({ params }) => wire(keys.get(params.label as AppKeyId), view),
  );
};

const offerChanging = (app: TypedApp, { access, keys, ...view }: AdminKeysDoorDeps): void => {
  app.patch(
    "/admin/keys/:label",
    {
      schema: {
        ...common,
        summary: "Change a key's policy; a field left out stays as it is",
        params: AppKeyParams,
        body: AppKeyChangesBody,
        response: { 200: AppKey, "4xx": ErrorBody },
      },
    },
    async (request) => {
      const { expires_at: expires, ...policy } = request.body;
      const changes = {
        ...settingsOf(policy),
        ...(expires !== undefined && { expiresAt: expires === null ? null : instant(expires) }),
      };
      const id = request.params.label as AppKeyId;
      return wire(await keys.change(id, changes, access.ip(request)), view);
    },
  );

  app.delete(
    "/admin/keys/:label",
    {
      schema: {
        ...common,
        summary: "Revoke a key, at once",
        params: AppKeyParams,
        response: { 200: AppKey, "4xx": ErrorBody },
      },
    },
    async (request) =>
      wire(await keys.revoke(request.params.label as AppKeyId, access.ip(request)), view),
  );
};

const instant = (time: string): EpochMs => {
  const parsed = Date.parse(time);
  if (Number.isNaN(parsed)) {
    throw new Refusal("invalid_request", "expires_at must be a time such as 2027-01-31T00:00:00Z.");
  }
  return parsed as EpochMs;
};

type PolicyBody = Omit<AppKeyChangesBody, "expires_at">;

/** The settings that were given, in our spelling. */
const settingsOf = (body: PolicyBody): Partial<AppKeySettings> => ({
  ...callerSettingsOf(body),
  ...(body.requests_per_day !== undefined && { requestsPerDay: body.requests_per_day }),
  ...(body.concurrency !== undefined && { concurrency: body.concurrency }),
  ...(body.doors !== undefined && { doors: body.doors }),
});

type View = Pick<AdminKeysDoorDeps, "clock" | "directory">;

const wire = (record: AppKeyRecord, { clock, directory }: View): AppKey => {
  const grace = record.previousValidUntil;
  return {
    label: record.id,
    status: statusOf(record, clock.now()),
    created_at: wireTime(record.createdAt),
    expires_at: wireTimeOrNull(record.expiresAt),
    revoked_at: wireTimeOrNull(record.revokedAt),
    last_used_at: wireTimeOrNull(record.lastUsedAt),
    rotated_at: wireTimeOrNull(record.rotatedAt),
    previous_secret_valid_until: grace !== null && grace > clock.now() ? wireTime(grace) : null,
    models: record.models === null ? null : [...record.models],
    requests_per_minute: record.requestsPerMinute,
    requests_per_day: record.requestsPerDay,
    concurrency: record.concurrency,
    doors: record.doors === null ? null : [...record.doors],
    user_id: record.userId,
    // Its own, or its user's.
    organization_id: record.organizationId ?? directory.organizationOf(record.userId),
  };
};

const statusOf = ({ revokedAt, expiresAt }: AppKeyRecord, now: EpochMs): AppKey["status"] => {
  if (revokedAt !== null) {
    return "revoked";
  }
  return expiresAt !== null && expiresAt <= now ? "expired" : "active";
};
