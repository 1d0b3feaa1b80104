import type { VNode } from "preact";
import type { AssistantMessage } from "../../bridge/conversation.ts";
import { Markdown } from "../markdown/markdown.tsx";
import { CopyButton } from "../shell/copy-button.tsx";
import { Icon } from "../shell/icon.tsx";
import { memo } from "../shell/memo.ts";
import { useController } from "../state/hooks.ts";
import { stopReasonWords } from "../status/fault-words.ts";
import { countWords } from "../status/money-words.ts";
import { momentWords } from "../status/time-words.ts";
import { FaultCard } from "./fault-card.tsx";
import { Thinking } from "./thinking.tsx";

type Props = Readonly<{
  message: AssistantMessage;
  modelName: string;
  /** Only the last answer can be asked for again. */
  isLast: boolean;
}>;

export const Answer = memo(({ message, modelName, isLast }: Props): VNode => {
  const { text, ending } = message;
  const isStreaming = ending.kind === "streaming";
  return (
    <article
      class="answer"
      data-testid="answer"
      data-ending={ending.kind}
      aria-label="Claude"
      aria-busy={isStreaming}
    >
      {text === "" && isStreaming ? <Thinking /> : <Markdown text={text} />}
      {ending.kind === "failed" && <FaultCard fault={ending.fault} canRetry={isLast} />}
      {ending.kind === "stopped" && <p class="ending-note">You stopped this answer.</p>}
      {ending.kind === "complete" && <StopNote reason={ending.stopReason} />}
      {!isStreaming && <Footer message={message} modelName={modelName} isLast={isLast} />}
    </article>
  );
});

const StopNote = ({ reason }: Readonly<{ reason: string }>) => {
  const words = stopReasonWords(reason);
  return words === null ? null : (
    <p class="ending-note" data-testid="stop-note">
      {words}
    </p>
  );
};

const Footer = ({ message, modelName, isLast }: Props) => {
  const { retry } = useController();
  const { text, ending } = message;
  return (
    <footer class="answer-footer">
      {text !== "" && <CopyButton text={text} what="answer" />}
      {isLast && ending.kind !== "failed" && (
        <button
          type="button"
          class="quiet small"
          data-testid="retry"
          aria-label="Ask again for this answer"
          onClick={() => void retry()}
        >
          <Icon name="retry" />
          Retry
        </button>
      )}
      <span class="about" title={momentWords(message.sentAt, Date.now())}>
        {modelName}
        {ending.kind === "complete" && <Tokens {...ending.usage} />}
      </span>
    </footer>
  );
};

const Tokens = (usage: Readonly<{ inputTokens: number; outputTokens: number }>) => (
  <span title="Tokens of the question and what went before it, and of the answer">
    {` · ${countWords(usage.inputTokens)} in, ${countWords(usage.outputTokens)} out`}
  </span>
);
