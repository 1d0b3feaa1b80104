import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import { Icon } from "../shell/icon.tsx";
import type { LoadedConversation } from "../state/window-state.ts";
import { Answer } from "./answer.tsx";
import { useStickToEnd } from "./stick-to-end.ts";
import { Thinking } from "./thinking.tsx";
import { UserWords } from "./user-words.tsx";

type Props = Readonly<{ id: string; conversation: LoadedConversation; modelNames: ModelNames }>;
export type ModelNames = ReadonlyMap<string, string>;

export const MessageList = ({ id, conversation, modelNames }: Props): VNode => {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const { messages, isAsking } = conversation;
  // A message of the user's own brings the reader to the end, wherever he was.
  const ownCount = messages.filter(({ role }) => role === "user").length;
  const { isAway, jumpToEnd } = useStickToEnd(box, content, `${id} ${ownCount}`);
  const last = messages.at(-1);
  return (
    <div class="messages-frame">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keyboard too */}
      <div class="messages" ref={box} tabIndex={0} data-testid="messages">
        <div class="column" ref={content} role="log" aria-live="off" aria-label="Conversation">
          {messages.map((message) =>
            message.role === "user" ? (
              <UserWords key={message.id} message={message} />
            ) : (
              <Answer
                key={message.id}
                message={message}
                modelName={modelNames.get(message.model) ?? message.model}
                isLast={message === last && !isAsking}
              />
            ),
          )}
          {isAsking && <Thinking />}
        </div>
      </div>
      {isAway && (
        <button type="button" class="jump" data-testid="jump-to-newest" onClick={jumpToEnd}>
          <Icon name="down" />
          Jump to newest
        </button>
      )}
    </div>
  );
};
