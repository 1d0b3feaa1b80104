import type { VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ConversationSummary } from "../../bridge/conversation.ts";
import { Icon } from "../shell/icon.tsx";
import { memo } from "../shell/memo.ts";
import { useController } from "../state/hooks.ts";

type Props = Readonly<{
  conversation: ConversationSummary;
  isOpen: boolean;
  isStreaming: boolean;
  onOpened: () => void;
}>;

/** A conversation in the list: opened by a click, renamed (F2) and deleted (Delete) in its place. */
export const ConversationRow = memo((props: Props): VNode => {
  const [mode, setMode] = useState<"shown" | "renaming" | "deleting">("shown");
  const row = useRef<HTMLLIElement>(null);
  const isReturning = useRef(false);
  /** `focus`: the title gets the focus back, unless the user took it elsewhere. */
  const back = (focus: boolean) => {
    isReturning.current = focus;
    setMode("shown");
  };
  useLayoutEffect(() => {
    if (mode === "shown" && isReturning.current) {
      isReturning.current = false;
      row.current?.querySelector("button")?.focus();
    }
  }, [mode]);
  return (
    <li ref={row} class={props.isOpen ? "row open" : "row"} data-testid="conversation">
      {mode === "renaming" ? (
        <RenameForm {...props} onDone={back} />
      ) : mode === "deleting" ? (
        <DeleteQuestion {...props} onDone={back} />
      ) : (
        <Shown
          {...props}
          onRename={() => setMode("renaming")}
          onDelete={() => setMode("deleting")}
        />
      )}
    </li>
  );
});

type ShownProps = Props & Readonly<{ onRename: () => void; onDelete: () => void }>;

const Shown = ({ conversation, isOpen, isStreaming, onOpened, onRename, onDelete }: ShownProps) => {
  const { open } = useController();
  const { id, title } = conversation;
  return (
    <>
      <button
        type="button"
        class="row-title"
        aria-current={isOpen ? "page" : undefined}
        title={title}
        data-testid="open-conversation"
        onClick={() => {
          void open(id);
          onOpened();
        }}
        onKeyDown={(event) => {
          const does = { F2: onRename, Delete: onDelete }[event.key];
          if (does !== undefined) {
            event.preventDefault();
            does();
          }
        }}
      >
        {isStreaming && <span class="pulse" role="img" aria-label="Answering" />}
        <span class="row-words">{title}</span>
      </button>
      <span class="row-actions">
        <button
          type="button"
          class="quiet small"
          aria-label={`Rename ${title}`}
          title="Rename (F2)"
          data-testid="rename"
          onClick={onRename}
        >
          <Icon name="pencil" />
        </button>
        <button
          type="button"
          class="quiet small"
          aria-label={`Delete ${title}`}
          title="Delete"
          data-testid="delete"
          onClick={onDelete}
        >
          <Icon name="trash" />
        </button>
      </span>
    </>
  );
};

type ModeProps = Readonly<{ conversation: ConversationSummary; onDone: (focus: boolean) => void }>;

const RenameForm = ({ conversation: { id, title }, onDone }: ModeProps) => {
  const { rename } = useController();
  const input = useRef<HTMLInputElement>(null);
  const isDone = useRef(false);
  useLayoutEffect(() => input.current?.select(), []);
  const finish = (isSaved: boolean, focus: boolean) => {
    // Its removal takes the focus from the field, which ends it a second time.
    if (isDone.current) {
      return;
    }
    isDone.current = true;
    const next = input.current?.value.trim() ?? "";
    if (isSaved && next !== "" && next !== title) {
      void rename(id, next);
    }
    onDone(focus);
  };
  return (
    <form
      class="rename"
      onSubmit={(event) => {
        event.preventDefault();
        finish(true, true);
      }}
    >
      <input
        ref={input}
        defaultValue={title}
        maxLength={200}
        aria-label="New title"
        data-testid="rename-input"
        onBlur={() => finish(true, false)}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.stopPropagation();
            finish(false, true);
          }
        }}
      />
    </form>
  );
};

const DeleteQuestion = ({ conversation: { id, title }, onDone }: ModeProps) => {
  const { remove } = useController();
  const yes = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => yes.current?.focus(), []);
  return (
    <div
      class="delete-question"
      role="alertdialog"
      aria-label={`Delete ${title}?`}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onDone(true);
        }
      }}
    >
      <span class="row-words">Delete for good?</span>
      <button
        ref={yes}
        type="button"
        class="small danger"
        data-testid="confirm-delete"
        onClick={() => void remove(id)}
      >
        Delete
      </button>
      <button type="button" class="small" data-testid="keep" onClick={() => onDone(true)}>
        Keep
      </button>
    </div>
  );
};
