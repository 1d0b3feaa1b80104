/** Wires what operators are told of: the events, budget warnings, and the webhook they go to. */
import type { RelayEvent } from "@claude-relay/contract";
import type { Config } from "./config.ts";
import { createGuardedPost } from "./fetch/guarded-post.ts";
import { calendarOf } from "./limits/budget-calendar.ts";
import type { Admission } from "./pipeline/admission.ts";
import { createBudgetWarnings, warningAction } from "./pipeline/budget-warnings.ts";
import { BudgetWatch, type WindowStart } from "./pipeline/budget-watch.ts";
import { EventBus, publishing } from "./pipeline/events.ts";
import type { Log } from "./pipeline/log.ts";
import type { AuditLog } from "./pipeline/ports.ts";
import type { Clock } from "./pipeline/types.ts";
import { watched } from "./pipeline/watched-admission.ts";
import { Webhook } from "./webhooks/webhook.ts";
import { createDeliveryLog, undelivered } from "./webhooks/webhook-log.ts";

type Options = Readonly<{
  config: Config;
  audit: AuditLog;
  clock: Clock;
  log: Log;
  version: string;
}>;

export type Events = Readonly<{
  bus: EventBus;
  /** The audit log, whose entries of interest are events too. */
  audit: AuditLog;
  /** Aborted when the relay drains. */
  draining: AbortSignal;
  watch(admission: Admission): Admission;
  drain(): void;
  /** Before the store closes. */
  close(): Promise<void>;
}>;

export const openEvents = async (options: Options): Promise<Events> => {
  const { clock, log } = options;
  const bus = new EventBus();
  const audit = publishing(options.audit, bus);
  const warnings = createBudgetWarnings({ audit, windowStart, log });
  const watch = new BudgetWatch({ now: clock.now, windowStart, onWarnings: warnings.tell });
  const webhook = await openWebhook(options, bus);
  const draining = new AbortController();
  return {
    bus,
    audit,
    draining: draining.signal,
    watch: (admission) => watched(admission, watch),
    drain: () => draining.abort(),
    close: async () => {
      draining.abort();
      await warnings.settled();
      await webhook?.close();
    },
  };
};

const windowStart: WindowStart = (window, now) => {
  const calendar = calendarOf(window);
  return calendar.startOf(calendar.indexOf(now) - calendar.span + 1);
};

/** Null without WEBHOOK_URL. What an earlier process did not deliver is sent first. */
const openWebhook = async (options: Options, bus: EventBus): Promise<Webhook | null> => {
  const { config, audit, clock, log, version } = options;
  const { webhookUrl, webhookSecret, webhookAllowPrivate: allowPrivate } = config;
  if (webhookUrl === null || webhookSecret === null) {
    return null;
  }
  const url = new URL(webhookUrl);
  const post = createGuardedPost({ userAgent: `claude-relay/${version} (webhook)`, allowPrivate });
  const webhook = new Webhook({
    secret: webhookSecret,
    post: (headers, body, signal) => post(url, headers, body, signal),
    clock,
    log,
    onOver: createDeliveryLog(audit, clock),
  });
  const send = (event: RelayEvent): void => {
    if (event.type === warningAction) {
      webhook.send(event);
    }
  };
  for (const event of await undelivered(audit, clock).catch(() => [])) {
    send(event);
  }
  bus.subscribe(send);
  return webhook;
};
