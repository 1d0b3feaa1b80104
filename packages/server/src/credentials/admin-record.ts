import type { AuditLog } from "../pipeline/ports.ts";
import type { Clock } from "../pipeline/types.ts";

export type AdminRecord = (
  action: string,
  subject: string,
  detail: object | null,
  clientIp: string,
) => Promise<void>;

/** Writes what an admin did into the audit log. */
export const createAdminRecord =
  (audit: AuditLog, clock: Clock): AdminRecord =>
  (action, subject, detail, clientIp) =>
    audit.append({
      at: clock.now(),
      actor: "admin",
      action,
      subject,
      outcome: "ok",
      detail: detail === null ? null : { ...detail },
      clientIp,
    });
