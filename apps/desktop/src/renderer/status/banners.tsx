/** What stands in the way of chatting, above the messages: one line each, with the way out. */
import type { ComponentChildren, VNode } from "preact";
import type { Connection } from "../../bridge/connection.ts";
import type { UsageReport } from "../../bridge/usage.ts";
import { Icon, type IconName } from "../shell/icon.tsx";
import { useController, useNow } from "../state/hooks.ts";
import type { WindowState } from "../state/window-state.ts";
import { budgetMood, budgetName, tightestBudget } from "./budget-words.ts";
import { waitWords, whenWords } from "./time-words.ts";

export const Banners = ({ state }: Readonly<{ state: WindowState }>): VNode => {
  const { askModels, dismissFault, dismissNotice } = useController();
  const { app, usage, fault, models, modelsFault } = state;
  const isIn = app?.connection.kind === "ready" || app?.connection.kind === "refreshing";
  return (
    <div class="banners">
      {fault !== null && (
        <Banner kind="fault" icon="warning" onDismiss={dismissFault}>
          {fault}
        </Banner>
      )}
      {app !== null && <ConnectionBanner connection={app.connection} />}
      {/* Without the relay that says enough, and a list once told still serves. */}
      {modelsFault !== null && models === null && isIn && (
        <Banner
          kind="models"
          icon="warning"
          action={
            <button type="button" data-testid="retry-models" onClick={() => void askModels()}>
              Retry
            </button>
          }
        >
          The relay did not say which models you may use: {modelsFault}
        </Banner>
      )}
      {usage !== null && <BudgetBanner usage={usage} />}
      {(app?.notices ?? []).map((notice) => (
        <Banner key={notice} kind="notice" icon="info" onDismiss={() => dismissNotice(notice)}>
          {notice}
        </Banner>
      ))}
    </div>
  );
};

type BannerProps = Readonly<{
  kind: string;
  icon: IconName;
  children: ComponentChildren;
  /** What changes by the second: shown, not read out. */
  ticking?: ComponentChildren;
  action?: ComponentChildren;
  onDismiss?: () => void;
}>;

const Banner = ({ kind, icon, children, ticking, action, onDismiss }: BannerProps): VNode => (
  <div class={`banner ${kind}`} data-testid={`banner-${kind}`}>
    <Icon name={icon} />
    <div class="banner-words">
      <p role="status">{children}</p>
      {ticking}
    </div>
    {action !== undefined && <div class="banner-actions">{action}</div>}
    {onDismiss !== undefined && (
      <button type="button" class="quiet small" aria-label="Dismiss" onClick={onDismiss}>
        <Icon name="close" />
      </button>
    )}
  </div>
);

const ConnectionBanner = ({ connection }: Readonly<{ connection: Connection }>) => {
  switch (connection.kind) {
    case "offline":
      return <OfflineBanner {...connection} />;
    case "signed_out":
      return (
        <Banner kind="signed-out" icon="warning" action={<WelcomeButton words="Sign in" />}>
          {connection.message}
        </Banner>
      );
    case "waiting_for_approval":
      return (
        <Banner kind="waiting" icon="info" action={<WelcomeButton words="Show" />}>
          The relay’s operator must approve this device.
        </Banner>
      );
    case "update_needed":
      return (
        <Banner kind="update" icon="warning">
          {connection.message}
        </Banner>
      );
    case "unconfigured":
      return (
        <Banner kind="signed-out" icon="info" action={<WelcomeButton words="Sign in" />}>
          You are not signed in to a relay.
        </Banner>
      );
    case "connecting":
    case "ready":
    case "refreshing":
      return null;
  }
};

const WelcomeButton = ({ words }: Readonly<{ words: string }>) => {
  const { showWelcome } = useController();
  return (
    <button type="button" data-testid="show-welcome" onClick={() => showWelcome(true)}>
      {words}
    </button>
  );
};

const OfflineBanner = ({ message, retryAt }: Extract<Connection, { kind: "offline" }>) => {
  const { reconnect, showWelcome } = useController();
  const now = useNow(retryAt);
  const ticking = (
    <p class="countdown" data-testid="offline-countdown">
      {retryAt <= now ? "Trying again…" : `Trying again in ${waitWords(retryAt - now)}.`}
    </p>
  );
  const action = (
    <>
      <button type="button" data-testid="retry-now" onClick={() => void reconnect()}>
        Retry now
      </button>
      <button type="button" class="quiet" onClick={() => showWelcome(true)}>
        Other relay
      </button>
    </>
  );
  return (
    <Banner kind="offline" icon="warning" ticking={ticking} action={action}>
      <strong>Offline.</strong> {message}
    </Banner>
  );
};

const BudgetBanner = ({ usage }: Readonly<{ usage: UsageReport }>) => {
  const budget = tightestBudget(usage.budgets);
  const isEmpty = budget !== null && budgetMood(budget) === "empty";
  const now = useNow(isEmpty ? budget.resetsAt : null);
  if (!isEmpty) {
    return null;
  }
  return (
    <Banner kind="capped" icon="warning">
      <strong>{budgetName(budget)} is used up.</strong>{" "}
      {budget.resetsAt === null
        ? "It does not reset by itself: ask the relay’s operator."
        : `It resets ${whenWords(budget.resetsAt, now)}.`}
    </Banner>
  );
};
