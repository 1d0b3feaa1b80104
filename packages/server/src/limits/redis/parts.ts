import type { Clock } from "../../pipeline/types.ts";
import { BudgetFill } from "./budget-fill.ts";
import { BudgetStates } from "./budget-states.ts";
import { RedisConnection } from "./connection.ts";
import { KnownRefusals } from "./known-refusals.ts";
import { LocalPath } from "./local-path.ts";
import { LocalReserve } from "./local-reserve.ts";
import { createScripts } from "./lua/scripts.ts";
import { Membership } from "./membership.ts";
import { Outbox } from "./outbox.ts";
import type { RedisAdmissionOptions } from "./redis-admission.ts";
import { RedisClock } from "./redis-clock.ts";
import { RemoteAsk } from "./remote-ask.ts";

export type Parts = ReturnType<typeof createParts>;

/**
 * What a RedisAdmission is made of, wired together.
 * @param tell Tells a new epoch what is open, or the one we know what it missed.
 */
export const createParts = (
  options: RedisAdmissionOptions,
  tell: (isNewEpoch: boolean) => Promise<boolean>,
) => {
  const { instance, log, patienceMs = 40, scripts = createScripts(), spentOf } = options;
  const monotonicMs = () => options.clock.monotonicMs();
  const connection = createConnection(options, patienceMs, options.clock);
  const clock = new RedisClock(() => options.clock.now());
  const shared = { connection, scripts, instance, clock };
  const epoch = () => membership.epoch;
  const onEpochOver = () => {
    membership.join().catch((error: unknown) => connection.trip(String(error)));
  };
  const outbox = new Outbox({ ...shared, epoch, onEpochOver, log });
  const membership: Membership = new Membership({
    ...shared,
    newNonce: options.newNonce,
    died: options.died ?? null,
    ledgerCaughtUp: options.ledgerCaughtUp ?? (async () => {}),
    countedToday: options.countedToday ?? (async () => []),
    tell,
    silence: outbox,
    heartbeatMs: options.heartbeatMs ?? 1_000,
    monotonicMs,
    log,
  });
  const fill = new BudgetFill({ ...shared, epoch, spentOf });
  const reserve = new LocalReserve({
    share: options.localShare ?? 0.01,
    instances: () => membership.instances,
  });
  return {
    connection,
    clock,
    membership,
    reserve,
    fill,
    outbox,
    /** Tells Redis what it missed; also what ended while it rose. */
    onUp: () => {
      void outbox.flush();
      if (outbox.isSilent) {
        onEpochOver();
      }
    },
    /** Whether Redis knows all that this instance granted and used, and that the one before it died. */
    hasToldAll: () => outbox.isEmpty && membership.hasTakenOver,
    remote: new RemoteAsk({
      ...shared,
      membership,
      fill,
      patienceMs,
      ledgerPatienceMs: options.ledgerPatienceMs ?? 1_000,
      isKnown: (budget) => reserve.knows(budget),
    }),
    states: new BudgetStates({ ...shared, membership, fill, reserve }),
    local: new LocalPath({ fallback: options.fallback, reserve }),
    refusals: new KnownRefusals(() => clock.now()),
  };
};

const createConnection = (
  { url, prefix = "claude-relay", log }: RedisAdmissionOptions,
  patienceMs: number,
  clock: Clock,
): RedisConnection =>
  new RedisConnection({
    url,
    base: `{${prefix}}:`,
    patienceMs,
    monotonicMs: () => clock.monotonicMs(),
    log,
  });
