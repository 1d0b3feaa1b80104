/** What operators are told of as it happens: audit entries that matter to whoever watches the relay. */
import { randomUUID } from "node:crypto";
import type { RelayEvent } from "@claude-relay/contract";
import type { AuditEntry, AuditLog } from "./ports.ts";

/** The actions of the audit log that are events too. */
const toldActions: ReadonlySet<string> = new Set([
  "budget.warning",
  "circuit_breaker.change",
  "device.disable",
  "device.key_change",
  "device.replay",
  "device.revoke",
  "device.revoke_tokens",
  "app_key.revoke",
  "app_key.rotate",
  "enrollment_code.revoke",
  "router.revoke",
  "router.rotate",
]);

/** How many past events a reader that comes back can catch up with. */
const kept = 256;

type Listener = (event: RelayEvent) => void;

/** Hands events on to whoever listens, at once and in order. Listeners must not throw. */
export class EventBus {
  readonly #listeners = new Set<Listener>();
  readonly #recent: RelayEvent[] = [];

  /** One that was told a moment ago, by another instance, is not told again. */
  publish(event: RelayEvent): void {
    if (this.#recent.some(({ id }) => id === event.id)) {
      return;
    }
    this.#recent.push(event);
    if (this.#recent.length > kept) {
      this.#recent.shift();
    }
    for (const listener of this.#listeners) {
      listener(event);
    }
  }

  /** Gives what ends the subscription. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What followed the event with this id; nothing when it is no longer known. */
  since(id: string): readonly RelayEvent[] {
    const at = this.#recent.findLastIndex((event) => event.id === id);
    return at === -1 ? [] : this.#recent.slice(at + 1);
  }
}

/** The audit log, which also publishes the entries that are events; whether they can be written or not. */
export const publishing = (audit: AuditLog, bus: EventBus): AuditLog => ({
  ...audit,
  append: (entry) => {
    if (toldActions.has(entry.action)) {
      bus.publish(eventOf(entry));
    }
    return audit.append(entry);
  },
});

/** An audit entry as an event. An entry that must be known again brings its id as `detail.event_id`. */
export const eventOf = ({
  at,
  actor,
  action,
  subject,
  outcome,
  detail,
}: AuditEntry): RelayEvent => {
  const { event_id: id, ...rest } = detail ?? {};
  return {
    id: typeof id === "string" ? id : `evt_${randomUUID().replaceAll("-", "")}`,
    type: action,
    created_at: new Date(at).toISOString(),
    actor,
    subject,
    outcome,
    detail: detail === null ? null : rest,
  };
};
