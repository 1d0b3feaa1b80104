import type { VNode } from "preact";
import type { ReplyFault } from "../../bridge/conversation.ts";
import { Icon } from "../shell/icon.tsx";
import { useController, useNow } from "../state/hooks.ts";
import { faultWords } from "../status/fault-words.ts";
import { momentWords, waitWords } from "../status/time-words.ts";

type Props = Readonly<{ fault: ReplyFault; canRetry: boolean }>;

/** Why an answer failed, in the relay's words, and the way on. */
export const FaultCard = ({ fault, canRetry }: Props): VNode => {
  const { retry, showWelcome } = useController();
  const { title, help } = faultWords[fault.kind];
  return (
    <div class="fault-card" data-testid="fault" data-fault={fault.kind}>
      <Icon name="warning" />
      <div>
        <p class="title">{title}</p>
        {fault.message !== "" && <p data-testid="fault-message">{fault.message}</p>}
        {help !== null && <p>{help}</p>}
        {fault.retryAt !== null && <Wait until={fault.retryAt} />}
        {canRetry && (
          <p class="actions">
            <button type="button" data-testid="retry" onClick={() => void retry()}>
              <Icon name="retry" />
              Retry
            </button>
            {fault.kind === "signed_out" && (
              <button type="button" onClick={() => showWelcome(true)}>
                Sign in
              </button>
            )}
          </p>
        )}
      </div>
    </div>
  );
};

const Wait = ({ until }: Readonly<{ until: number }>) => {
  const now = useNow(until);
  return (
    <p data-testid="fault-wait" class="wait">
      {until <= now
        ? "You can try again now."
        : `You can try again in ${waitWords(until - now)} (${momentWords(until, now)}).`}
    </p>
  );
};
