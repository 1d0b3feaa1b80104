import type { Kysely, Selectable } from "kysely";
import type { ManagedSettings, ManagedSettingsStore } from "../pipeline/sign-in-ports.ts";
import type { ManagedSettingsTable, Tables } from "./schema.ts";

/** Claude Code's managed settings by level, over any Kysely dialect. */
export const createManagedSettingsStore = (db: Kysely<Tables>): ManagedSettingsStore => ({
  list: async () => {
    const rows = await db
      .selectFrom("managed_settings")
      .selectAll()
      .orderBy("scope")
      .orderBy("scope_id")
      .execute();
    return rows.map(toSettings);
  },
  first: async (scopes) => {
    for (const { kind, id } of scopes) {
      const row = await db
        .selectFrom("managed_settings")
        .selectAll()
        .where("scope", "=", kind)
        .where("scope_id", "=", id)
        .executeTakeFirst();
      if (row !== undefined) {
        return toSettings(row);
      }
    }
    return null;
  },
  put: async (settings) => {
    const { scope: _scope, scope_id: _scopeId, uuid: _uuid, ...changes } = toRow(settings);
    const row = await db
      .insertInto("managed_settings")
      .values(toRow(settings))
      .onConflict((conflict) => conflict.columns(["scope", "scope_id"]).doUpdateSet(changes))
      .returningAll()
      .executeTakeFirstOrThrow();
    return toSettings(row);
  },
  remove: async ({ kind, id }) => {
    const { numDeletedRows } = await db
      .deleteFrom("managed_settings")
      .where("scope", "=", kind)
      .where("scope_id", "=", id)
      .executeTakeFirst();
    return Number(numDeletedRows) > 0;
  },
});

const toSettings = (row: Selectable<ManagedSettingsTable>): ManagedSettings => ({
  scope: { kind: row.scope, id: row.scope_id },
  uuid: row.uuid,
  checksum: row.checksum,
  settings: JSON.parse(row.settings) as ManagedSettings["settings"],
  updatedAt: row.updated_at,
});

const toRow = (settings: ManagedSettings): ManagedSettingsTable => ({
  scope: settings.scope.kind,
  scope_id: settings.scope.id,
  uuid: settings.uuid,
  checksum: settings.checksum,
  settings: JSON.stringify(settings.settings),
  updated_at: settings.updatedAt,
});
