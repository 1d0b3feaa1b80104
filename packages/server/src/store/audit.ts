import type { Kysely, Selectable } from "kysely";
import type { AuditLog, AuditRow } from "../pipeline/ports.ts";
import { decodeCursor, pageLimit, toPage } from "./cursor.ts";
import { fromJson, toJson } from "./json-column.ts";
import type { AuditTable, Tables } from "./schema.ts";

/** The audit log, over any Kysely dialect. Rows are only ever added. */
export const createAuditLog = (db: Kysely<Tables>): AuditLog => ({
  append: async (entry) => {
    await db
      .insertInto("audit")
      .values({
        at: entry.at,
        actor: entry.actor,
        action: entry.action,
        subject: entry.subject,
        outcome: entry.outcome,
        detail: toJson(entry.detail),
        client_ip: entry.clientIp,
      })
      .execute();
  },
  list: async ({ limit, cursor, action, subject }) => {
    let query = db.selectFrom("audit").selectAll().orderBy("id", "desc");
    query = query.limit(pageLimit(limit) + 1);
    if (action !== undefined) {
      query = query.where("action", "=", action);
    }
    if (subject !== undefined) {
      query = query.where("subject", "=", subject);
    }
    if (cursor !== undefined) {
      query = query.where("id", "<", decodeCursor(cursor)[0]);
    }
    return toPage(await query.execute(), limit, toAuditRow, (row) => [row.id, ""]);
  },
});

const toAuditRow = (row: Selectable<AuditTable>): AuditRow => ({
  id: row.id,
  at: row.at,
  actor: row.actor,
  action: row.action,
  subject: row.subject,
  outcome: row.outcome,
  detail: fromJson<Record<string, unknown>>(row.detail),
  clientIp: row.client_ip,
});
