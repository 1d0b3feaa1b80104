import type { EpochMs } from "@claude-relay/contract";
import type { Kysely, Selectable } from "kysely";
import type { Consumption, EnrollmentCodeRecord, EnrollmentCodeStore } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { fromJson, toJson } from "./json-column.ts";
import { listRows } from "./row-list.ts";
import type { EnrollmentCodesTable, Tables } from "./schema.ts";

/** Enrolment codes, over any Kysely dialect. */
export const createEnrollmentCodeStore = (db: Kysely<Tables>): EnrollmentCodeStore => ({
  create: async (code) => {
    const row = await db
      .insertInto("enrollment_codes")
      .values(toRow(code))
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) {
      throw new Refusal("conflict", "An enrolment code with this id or value exists already");
    }
    return toCode(row);
  },
  list: (query) => listRows(db, "enrollment_codes", query, toCode),
  revoke: async (id, now) => {
    await db
      .updateTable("enrollment_codes")
      .set({ revoked_at: now })
      .where("id", "=", id)
      .where("revoked_at", "is", null)
      .execute();
    const row = await db
      .selectFrom("enrollment_codes")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirst();
    return row === undefined ? null : toCode(row);
  },
  consume: (codeHash, now) => consume(db, codeHash, now),
});

/** One UPDATE both checks and takes the use; only a refusal needs a second look, to say why. */
const consume = async (
  db: Kysely<Tables>,
  codeHash: string,
  now: EpochMs,
): Promise<Consumption> => {
  const taken = await db
    .updateTable("enrollment_codes")
    .set((is) => ({ uses_left: is("uses_left", "-", 1) }))
    .where("code_hash", "=", codeHash)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", now)
    .where("uses_left", ">", 0)
    .returningAll()
    .executeTakeFirst();
  if (taken !== undefined) {
    return { kind: "consumed", code: toCode(taken) };
  }
  const row = await db
    .selectFrom("enrollment_codes")
    .selectAll()
    .where("code_hash", "=", codeHash)
    .executeTakeFirst();
  return { kind: "refused", reason: whyRefused(row, now) };
};

const whyRefused = (
  row: Selectable<EnrollmentCodesTable> | undefined,
  now: EpochMs,
): "unknown" | "expired" | "used_up" | "revoked" => {
  if (row === undefined) {
    return "unknown";
  }
  if (row.revoked_at !== null) {
    return "revoked";
  }
  return row.expires_at <= now ? "expired" : "used_up";
};

const toCode = (row: Selectable<EnrollmentCodesTable>): EnrollmentCodeRecord => ({
  id: row.id,
  codeHash: row.code_hash,
  label: row.label,
  usesLeft: row.uses_left,
  maxUses: row.max_uses,
  expiresAt: row.expires_at,
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
  models: fromJson<string[]>(row.models),
  requestsPerMinute: row.requests_per_minute,
  userId: row.user_id,
  organizationId: row.organization_id,
});

const toRow = (code: EnrollmentCodeRecord): EnrollmentCodesTable => ({
  id: code.id,
  code_hash: code.codeHash,
  label: code.label,
  uses_left: code.usesLeft,
  max_uses: code.maxUses,
  expires_at: code.expiresAt,
  created_at: code.createdAt,
  revoked_at: code.revokedAt,
  models: toJson(code.models),
  requests_per_minute: code.requestsPerMinute,
  user_id: code.userId,
  organization_id: code.organizationId,
});
