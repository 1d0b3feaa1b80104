import {
  ErrorBody,
  ManagedSettingsBody,
  ManagedSettingsList,
  ManagedSettingsQuery,
  ManagedSettingsRow,
  Removed,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { ManagedSettings, ManagedSettingsAdmin } from "../../pipeline/sign-in-ports.ts";
import { typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";

export type AdminManagedSettingsDoorDeps = Readonly<{
  access: AdminAccess;
  managedSettings: ManagedSettingsAdmin;
}>;

/** Claude Code's settings for people who signed in: the most specific level that has any is theirs. */
export const adminManagedSettingsDoor = (
  server: FastifyInstance,
  { access, managedSettings }: AdminManagedSettingsDoorDeps,
): void => {
  const app = typedApp(server);
  app.addHook("onRequest", (request) => access.demandAdmin(request));
  const common = { tags: ["Managed settings"], security: [{ bearer: [] }] };

  app.get(
    "/admin/managed-settings",
    {
      schema: {
        ...common,
        summary: "List managed settings",
        response: { 200: ManagedSettingsList, "4xx": ErrorBody },
      },
    },
    async () => ({ data: (await managedSettings.list()).map(wire) }),
  );

  app.put(
    "/admin/managed-settings",
    {
      schema: {
        ...common,
        summary: "Set managed settings of the relay, an organization or a user",
        body: ManagedSettingsBody,
        response: { 200: ManagedSettingsRow, "4xx": ErrorBody },
      },
    },
    async (request) => {
      const { scope: kind, scope_id: id = null, settings } = request.body;
      return wire(await managedSettings.put({ kind, id }, settings, access.ip(request)));
    },
  );

  app.delete(
    "/admin/managed-settings",
    {
      schema: {
        ...common,
        summary: "Remove managed settings",
        querystring: ManagedSettingsQuery,
        response: { 200: Removed, "4xx": ErrorBody },
      },
    },
    async (request) => {
      const { scope: kind, scope_id: id = null } = request.query;
      await managedSettings.remove({ kind, id }, access.ip(request));
      return { removed: true as const };
    },
  );
};

const wire = (row: ManagedSettings): ManagedSettingsRow => ({
  scope: row.scope.kind,
  scope_id: row.scope.id === "" ? null : row.scope.id,
  uuid: row.uuid,
  checksum: row.checksum,
  settings: { ...row.settings },
  updated_at: new Date(row.updatedAt).toISOString(),
});
