import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { BudgetStanding, UsageReport } from "../../bridge/usage.ts";
import { useController } from "../state/hooks.ts";
import { budgetMood, budgetName, remainderWords, tightestBudget } from "./budget-words.ts";
import { countWords, moneyWords } from "./money-words.ts";
import { whenWords } from "./time-words.ts";

/** Today's cost and the budget that ends first; the rest opens above it. */
export const UsageMeter = ({ usage }: Readonly<{ usage: UsageReport }>): VNode => {
  const { askUsage } = useController();
  const [isOpen, setOpen] = useState(false);
  const whole = useRef<HTMLDivElement>(null);
  const tightest = tightestBudget(usage.budgets);
  useCloseOutside(whole, isOpen, () => setOpen(false));
  return (
    <div class="usage" ref={whole}>
      {isOpen && <UsageDetails usage={usage} />}
      <button
        type="button"
        class="usage-meter"
        aria-expanded={isOpen}
        data-testid="usage-meter"
        onClick={() => {
          setOpen(!isOpen);
          void askUsage();
        }}
      >
        <span class="usage-words">
          <span>Today {moneyWords(usage.today.costMicroUsd)}</span>
          {tightest !== null && <span>{tightest.remainingPercent}% left</span>}
        </span>
        {tightest !== null && <Bar budget={tightest} />}
      </button>
    </div>
  );
};

const UsageDetails = ({ usage: { today, budgets } }: Readonly<{ usage: UsageReport }>) => {
  const now = Date.now();
  return (
    <section class="usage-details" aria-label="Usage" data-testid="usage-details">
      <h2>Today (UTC)</h2>
      <dl>
        <dt>Cost</dt>
        <dd>{moneyWords(today.costMicroUsd)}</dd>
        <dt>Requests</dt>
        <dd>{countWords(today.requests)}</dd>
        <dt>Tokens in</dt>
        <dd>{countWords(today.inputTokens)}</dd>
        <dt>Tokens out</dt>
        <dd>{countWords(today.outputTokens)}</dd>
      </dl>
      <h2>Budgets</h2>
      {budgets.length === 0 && <p>No budget binds this device.</p>}
      {budgets.map((budget, at) => (
        <div key={at} class="budget" data-testid="budget">
          <p>{budgetName(budget)}</p>
          <Bar budget={budget} />
          <p class="reset">
            {remainderWords(budget)}
            {budget.resetsAt !== null && `, resets ${whenWords(budget.resetsAt, now)}`}
          </p>
        </div>
      ))}
    </section>
  );
};

const Bar = ({ budget }: Readonly<{ budget: BudgetStanding }>) => (
  // biome-ignore lint/a11y/useSemanticElements: each engine draws its own <meter>, and few can be styled
  <span
    class={`bar ${budgetMood(budget)}`}
    role="meter"
    aria-valuemin={0}
    aria-valuemax={100}
    aria-valuenow={budget.remainingPercent}
    aria-label={`${budgetName(budget)}: what is left`}
  >
    <span style={{ width: `${Math.max(0, Math.min(100, budget.remainingPercent))}%` }} />
  </span>
);

/** Closes by Esc, and by a click or the focus going elsewhere. */
const useCloseOutside = (
  whole: Readonly<{ current: HTMLElement | null }>,
  isOpen: boolean,
  close: () => void,
): void => {
  useEffect(() => {
    if (!isOpen) {
      return undefined;
    }
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        close();
      }
    };
    const onElsewhere = (event: Event) => {
      if (event.target instanceof Node && whole.current?.contains(event.target) !== true) {
        close();
      }
    };
    const isEarly = { capture: true };
    document.addEventListener("keydown", onKey, isEarly);
    document.addEventListener("pointerdown", onElsewhere);
    document.addEventListener("focusin", onElsewhere);
    return () => {
      document.removeEventListener("keydown", onKey, isEarly);
      document.removeEventListener("pointerdown", onElsewhere);
      document.removeEventListener("focusin", onElsewhere);
    };
  }, [isOpen]);
};
