/** What became of webhook calls, in the audit log: so that a restart knows what is still to be sent. */
import type { RelayEvent } from "@claude-relay/contract";
import { warningAction } from "../pipeline/budget-warnings.ts";
import { eventOf } from "../pipeline/events.ts";
import type { AuditLog } from "../pipeline/ports.ts";
import type { Clock } from "../pipeline/types.ts";
import type { Delivery } from "./webhook.ts";

const deliverAction = "webhook.deliver";

/** Older than that, a warning is no news. */
const newsMs = 24 * 3_600_000;
const rowsRead = 500;

/** Writes down that a call is over. */
export const createDeliveryLog =
  (audit: AuditLog, clock: Clock) =>
  ({ event, delivered, tries }: Delivery): void => {
    void audit.append({
      at: clock.now(),
      actor: "relay",
      action: deliverAction,
      subject: event.id,
      outcome: delivered ? "ok" : "given_up",
      detail: { type: event.type, tries },
      clientIp: null,
    });
  };

/** The warnings of the last day whose calls an earlier process did not end, oldest first. */
export const undelivered = async (audit: AuditLog, clock: Clock): Promise<RelayEvent[]> => {
  const over = await audit.list({ action: deliverAction, limit: rowsRead });
  const ended = new Set(over.data.map(({ subject }) => subject));
  const warnings = await audit.list({ action: warningAction, limit: rowsRead });
  return warnings.data
    .filter(({ at }) => at > clock.now() - newsMs)
    .map(eventOf)
    .filter(({ id }) => !ended.has(id))
    .reverse();
};
