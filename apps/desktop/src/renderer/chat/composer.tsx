import type { VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../shell/icon.tsx";
import { useController } from "../state/hooks.ts";
import type { Sending } from "./sending.ts";

type Props = Readonly<{
  /** What is written belongs to it. Null: to the next conversation. */
  conversationId: string | null;
  drafts: Drafts;
  sending: Sending;
  /** No Claude answers, but what the relay has in its place. */
  isSimulated: boolean;
}>;

/** What is written and not sent yet, by conversation. */
export type Drafts = Map<string | null, string>;

const longestMessage = 1_000_000;

/** Enter sends, Shift+Enter makes a line. What is written stays with its conversation. */
export const Composer = ({ conversationId, drafts, sending, isSimulated }: Props): VNode => {
  const { send } = useController();
  const [, redraw] = useState({});
  const area = useRef<HTMLTextAreaElement>(null);
  const text = drafts.get(conversationId) ?? "";
  const write = (next: string) => {
    drafts.set(conversationId, next);
    redraw({});
  };

  useLayoutEffect(() => area.current?.focus(), [conversationId]);
  useLayoutEffect(() => fitToText(area.current), [text]);

  const canSend =
    sending.kind === "possible" && text.trim() !== "" && text.length <= longestMessage;
  const submit = async () => {
    if (!canSend) {
      return;
    }
    write("");
    area.current?.focus();
    const { isTaken, conversationId: to } = await send(text);
    if (!isTaken) {
      // Before what was written since.
      drafts.set(to, [text, drafts.get(to) ?? ""].filter(Boolean).join("\n\n"));
      redraw({});
    }
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <textarea
        ref={area}
        rows={1}
        value={text}
        maxLength={longestMessage}
        placeholder="Message Claude"
        aria-label="Message to Claude"
        aria-describedby="composer-note"
        data-testid="composer"
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !isComposing(event)) {
            event.preventDefault();
            void submit();
          }
        }}
      />
      {sending.kind === "answering" ? (
        <StopButton onStop={() => area.current?.focus()} />
      ) : (
        <SendButton canSend={canSend} />
      )}
      <p id="composer-note" class="composer-note" data-testid="composer-note">
        {noteWords(sending, text)}
        {sending.kind !== "impossible" && (
          <span class="aside">
            {isSimulated
              ? " Answers come from the relay’s simulator and cost nothing real."
              : " Claude can make mistakes."}
          </span>
        )}
      </p>
    </form>
  );
};

const SendButton = ({ canSend }: Readonly<{ canSend: boolean }>) => (
  <button
    type="submit"
    class="round primary"
    aria-label="Send"
    title="Send (Enter)"
    data-testid="send"
    disabled={!canSend}
  >
    <Icon name="send" />
  </button>
);

/** `onStop`: the button goes away with the answer's end, and must not take the focus with it. */
const StopButton = ({ onStop }: Readonly<{ onStop: () => void }>) => {
  const { stop } = useController();
  return (
    <button
      type="button"
      class="round"
      aria-label="Stop the answer"
      title="Stop (Esc)"
      data-testid="stop"
      onClick={() => {
        void stop();
        onStop();
      }}
    >
      <Icon name="stop" />
    </button>
  );
};

const noteWords = (sending: Sending, text: string): string => {
  if (text.length >= longestMessage) {
    return "A message can be a million characters long; this is all of them.";
  }
  return sending.kind === "impossible"
    ? sending.why
    : "Enter sends, Shift+Enter begins a new line.";
};

/** Enter also ends what an input method composes; WebKit says so by the old key code alone. */
const isComposing = (event: KeyboardEvent): boolean => event.isComposing || event.keyCode === 229;

/** As high as its text, up to what the style sheet allows. */
const fitToText = (area: HTMLTextAreaElement | null): void => {
  if (area !== null) {
    area.style.height = "auto";
    // Without its border the height would be too small for its text, and a scroll bar would show.
    const border = area.offsetHeight - area.clientHeight;
    area.style.height = `${area.scrollHeight + border}px`;
  }
};
