import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { UserMessage } from "../../bridge/conversation.ts";
import { memo } from "../shell/memo.ts";

/** Longer messages are shown by their beginning at first: pasted files would fill the window. */
const longText = 3000;
const manyLines = 30;

/** What the user wrote, as it was written. */
export const UserWords = memo(({ message }: Readonly<{ message: UserMessage }>): VNode => {
  const [isWhole, setWhole] = useState(false);
  const isLong = message.text.length > longText || message.text.split("\n").length > manyLines;
  const isCut = isLong && !isWhole;
  return (
    <article class="user-words" data-testid="user-message" aria-label="You">
      <div class={isCut ? "words cut" : "words"}>
        {isCut ? message.text.slice(0, longText * 2) : message.text}
      </div>
      {isLong && (
        <button type="button" class="quiet small" onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show less" : "Show all"}
        </button>
      )}
    </article>
  );
});
