import { createHash } from "node:crypto";
import type { EpochMs } from "@claude-relay/contract";
import { type BudgetWarning, isTold, type Told, type WindowStart } from "./budget-watch.ts";
import type { Log } from "./log.ts";
import type { AuditEntry, AuditLog, AuditRow } from "./ports.ts";

export const warningAction = "budget.warning";

export interface BudgetWarnings {
  /** Writes warnings of one budget into the audit log, unless it has them. Never throws, and nobody waits for it. */
  tell(warnings: readonly BudgetWarning[]): void;
  /** Resolves when all that was told is written, or could not be. */
  settled(): Promise<void>;
}

type Options = Readonly<{ audit: AuditLog; windowStart: WindowStart; log: Log }>;

/** More rows of one budget and one window there cannot be, unless its limit changes all the time. */
const rowsRead = 100;

/**
 * What the audit log has of a window is not told again: not after a restart, and not by another instance, but for
 * two that cross a threshold in the same moment; then both tell it, with the same event id.
 */
export const createBudgetWarnings = ({ audit, windowStart, log }: Options): BudgetWarnings => {
  const open = new Set<Promise<void>>();

  const toldBefore = async ({ budget, at }: BudgetWarning): Promise<readonly Told[]> => {
    const start = windowStart(budget.window, at);
    try {
      const page = await audit.list({
        action: warningAction,
        subject: budget.id,
        limit: rowsRead,
      });
      return page.data.filter((row) => row.at >= start).flatMap(toldBy);
    } catch (error) {
      // Rather twice than never.
      log.warn({ error: String(error) }, "What was told of a budget before could not be read");
      return [];
    }
  };

  const tell = async (warnings: readonly BudgetWarning[]): Promise<void> => {
    const [first] = warnings;
    const told = first === undefined ? [] : await toldBefore(first);
    for (const warning of warnings) {
      const { budget, threshold, spent, at } = warning;
      if (!isTold(told, threshold, budget.limit)) {
        log.warn({ budget: budget.id, threshold, spent, limit: budget.limit }, wordsOf(warning));
        void audit.append(entryOf(warning, windowStart(budget.window, at)));
      }
    }
  };

  return {
    tell: (warnings) => {
      const telling: Promise<void> = tell(warnings)
        .catch((error: unknown) => {
          log.error({ error: String(error) }, "A budget warning could not be told");
        })
        .finally(() => open.delete(telling));
      open.add(telling);
    },
    settled: async () => {
      await Promise.all(open);
    },
  };
};

const wordsOf = ({ reason, threshold }: BudgetWarning): string =>
  reason === "refused" ? "A budget is used up" : `${threshold} % of a budget is spent`;

const entryOf = (warning: BudgetWarning, windowStart: EpochMs): AuditEntry => {
  const { budget, threshold, reason, spent, resetsAt, at } = warning;
  const { id, scope, unit, limit, window } = budget;
  return {
    at,
    actor: "relay",
    action: warningAction,
    subject: id,
    outcome: "ok",
    detail: {
      threshold,
      reason,
      spent,
      limit,
      left: Math.max(0, limit - spent),
      unit,
      scope: scope.kind,
      scope_id: scope.kind === "relay" ? null : scope.id,
      window: window.kind === "rolling" ? { rolling_hours: window.hours } : window.kind,
      resets_at: resetsAt === null ? null : new Date(resetsAt).toISOString(),
      event_id: eventId(`${id} ${windowStart} ${threshold} ${limit}`),
    },
    clientIp: null,
  };
};

/** The same crossing has the same id, whichever instance tells it. */
const eventId = (crossing: string): string =>
  `evt_${createHash("sha256").update(crossing).digest("hex").slice(0, 32)}`;

const toldBy = ({ at, detail }: AuditRow): Told[] => {
  const { threshold, spent, limit } = detail ?? {};
  return typeof threshold === "number" && typeof spent === "number" && typeof limit === "number"
    ? [{ threshold, spent, limit, at }]
    : [];
};
