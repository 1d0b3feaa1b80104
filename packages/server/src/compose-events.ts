/** Wires what operators are told of: the events, budget warnings, and the webhook they go to. */
import type { RelayEvent } from "@claude-relay/contract";
import type { SharedRedis } from "./compose-redis.ts";
import type { Config } from "./config.ts";
import { createGuardedPost } from "./fetch/guarded-post.ts";
import { calendarOf } from "./limits/budget-calendar.ts";
import { SharedEvents } from "./limits/redis/shared-events.ts";
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
  /** Null for a relay of one process. */
  redis: SharedRedis | null;
}>;

export type Events = Readonly<{
  /** Of all instances. */
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
  /** Of this instance: what others tell, their own webhooks send. */
  const own = new EventBus();
  const shared = openShared(options, own, bus);
  const audit = publishing(options.audit, own);
  const warnings = createBudgetWarnings({ audit, windowStart, log });
  const watch = new BudgetWatch({ now: clock.now, windowStart, onWarnings: warnings.tell });
  const webhook = await openWebhook(options, own);
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
      shared?.close();
    },
  };
};

/** Own events are told to the others and theirs are heard; a reader of any instance gets all. */
const openShared = ({ redis, log }: Options, own: EventBus, all: EventBus): SharedEvents | null => {
  own.subscribe((event) => all.publish(event));
  if (redis === null) {
    return null;
  }
  const shared = new SharedEvents({ ...redis, onEvent: (event) => all.publish(event), log });
  own.subscribe((event) => shared.publish(event));
  return shared;
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
