import { randomUUID } from "node:crypto";
import type { EpochMs } from "@claude-relay/contract";
import type { EnrollmentCodeAdmin } from "../pipeline/credential-ports.ts";
import type { AuditLog, EnrollmentCodeStore } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import { enrollmentCodeHash, newEnrollmentCode } from "./enrollment-code.ts";
import { checkOwners } from "./owner-checks.ts";
import type { OwnerIndex } from "./owner-index.ts";

type Options = Readonly<{
  store: EnrollmentCodeStore;
  owners: OwnerIndex;
  audit: AuditLog;
  clock: Clock;
}>;

export const createEnrollmentCodeAdmin = ({
  store,
  owners,
  audit,
  clock,
}: Options): EnrollmentCodeAdmin => {
  const record = (action: string, subject: string, clientIp: string): Promise<void> =>
    audit.append({
      at: clock.now(),
      actor: "admin",
      action,
      subject,
      outcome: "ok",
      detail: null,
      clientIp,
    });

  return {
    mint: ({ expiresInHours, ...wanted }, clientIp) =>
      owners.alone(async () => {
        checkOwners(owners, wanted);
        const code = newEnrollmentCode();
        const now = clock.now();
        const created = await store.create({
          ...wanted,
          id: `enr_${randomUUID().replaceAll("-", "")}`,
          codeHash: enrollmentCodeHash(code),
          usesLeft: wanted.maxUses,
          createdAt: now,
          expiresAt: Math.round(now + expiresInHours * 3_600_000) as EpochMs,
          revokedAt: null,
        });
        await record("enrollment_code.mint", created.id, clientIp);
        return { code, record: created };
      }),
    list: (query) => store.list(query),
    revoke: async (id, clientIp) => {
      const revoked = await store.revoke(id, clock.now());
      if (revoked === null) {
        throw new Refusal("not_found", `No enrollment code has the id "${id}".`);
      }
      await record("enrollment_code.revoke", id, clientIp);
      return revoked;
    },
  };
};
