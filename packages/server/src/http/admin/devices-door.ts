import {
  ApproveDeviceBody,
  Device,
  DeviceChangesBody,
  type DeviceId,
  DeviceListQuery,
  DevicePage,
  DeviceParams,
  ErrorBody,
  type OrganizationId,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { DeviceAdmin } from "../../pipeline/credential-ports.ts";
import { deviceKeyFingerprint } from "../../pipeline/device-key-fingerprint.ts";
import type { Directory } from "../../pipeline/owner-ports.ts";
import type { DeviceChanges, DeviceRecord } from "../../pipeline/ports.ts";
import { bodyMayBeMissing } from "../body-may-be-missing.ts";
import { type TypedApp, typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";
import { callerSettingsOf } from "./caller-settings.ts";
import { wireTime, wireTimeOrNull } from "./wire-time.ts";

export type AdminDevicesDoorDeps = Readonly<{
  access: AdminAccess;
  devices: DeviceAdmin;
  directory: Pick<Directory, "organizationOf" | "bootstrapOf">;
}>;

/** Devices are rows: listed, approved, given a policy, disabled, revoked at once. */
export const adminDevicesDoor = (server: FastifyInstance, deps: AdminDevicesDoorDeps): void => {
  const app = typedApp(server);
  const wire: Wire = (device) => wireDevice(device, deps.directory);
  app.addHook("onRequest", (request) => deps.access.demandAdmin(request));
  offerReading(app, deps, wire);
  offerChanging(app, deps, wire);
};

const common = { tags: ["Devices"], security: [{ bearer: [] }] };
const one = { ...common, params: DeviceParams, response: { 200: Device, "4xx": ErrorBody } };

type Wire = (device: DeviceRecord) => Device;

const offerReading = (app: TypedApp, { devices }: AdminDevicesDoorDeps, wire: Wire): void => {
  app.get(
    "/admin/devices",
    {
      schema: {
        ...common,
        summary: "List devices, newest first",
        querystring: DeviceListQuery,
        response: { 200: DevicePage, "4xx": ErrorBody },
      },
    },
    async ({ query }) => {
      const page = await devices.list({ ...query, limit: query.limit ?? 100 });
      return { data: page.data.map(wire), next_cursor: page.next_cursor };
    },
  );

  app.get("/admin/devices/:id", { schema: { ...one, summary: "One device" } }, async ({ params }) =>
    wire(devices.get(params.id as DeviceId)),
  );
};

const offerChanging = (
  app: TypedApp,
  { access, devices }: AdminDevicesDoorDeps,
  wire: Wire,
): void => {
  app.patch(
    "/admin/devices/:id",
    { schema: { ...one, summary: "Change status, policy or owner", body: DeviceChangesBody } },
    async (request) =>
      wire(
        await devices.change(
          request.params.id as DeviceId,
          changesOf(request.body),
          access.ip(request),
        ),
      ),
  );

  app.post(
    "/admin/devices/:id/approve",
    {
      schema: {
        ...one,
        summary: "Let a waiting device have its token",
        body: ApproveDeviceBody,
      },
      preValidation: bodyMayBeMissing,
    },
    async (request) =>
      wire(
        await devices.approve(
          request.params.id as DeviceId,
          request.body.device_key_fingerprint ?? null,
          access.ip(request),
        ),
      ),
  );

  app.post(
    "/admin/devices/:id/revoke-tokens",
    { schema: { ...one, summary: "End every token the device has" } },
    async (request) =>
      wire(await devices.revokeTokens(request.params.id as DeviceId, access.ip(request))),
  );
};

const changesOf = (body: DeviceChangesBody): DeviceChanges => ({
  ...(body.status !== undefined && { status: body.status }),
  ...(body.label !== undefined && { label: body.label }),
  ...callerSettingsOf(body),
});

const wireDevice = (
  device: DeviceRecord,
  directory: AdminDevicesDoorDeps["directory"],
): Device => ({
  id: device.id,
  status: device.status,
  waiting_for_approval: isWaiting(device, directory),
  label: device.label,
  app_version: device.appVersion,
  device_key_fingerprint: deviceKeyFingerprint(device.publicKey),
  waiting_key_fingerprint: deviceKeyFingerprint(device.waitingKey),
  user_id: device.userId,
  organization_id: organizationOf(device, directory),
  models: device.models === null ? null : [...device.models],
  requests_per_minute: device.requestsPerMinute,
  created_at: wireTime(device.createdAt),
  approved_at: wireTimeOrNull(device.approvedAt),
  last_bootstrap_at: wireTimeOrNull(device.lastBootstrapAt),
});

/** Its own, or its user's. */
const organizationOf = (
  { userId, organizationId }: DeviceRecord,
  directory: AdminDevicesDoorDeps["directory"],
): OrganizationId | null => organizationId ?? directory.organizationOf(userId);

/** Where devices are approved, one without an approval waits for it. */
const isWaiting = (device: DeviceRecord, directory: AdminDevicesDoorDeps["directory"]): boolean =>
  device.status === "pending" ||
  (device.status === "active" &&
    device.approvedAt === null &&
    directory.bootstrapOf(organizationOf(device, directory)) === "approve");
