import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Connection } from "../../bridge/connection.ts";
import { useAnnounce } from "../shell/announcer.tsx";
import { Icon } from "../shell/icon.tsx";
import { chosenModel, isBusy, type WindowState } from "../state/window-state.ts";
import { Banners } from "../status/banners.tsx";
import { hostOf } from "../status/connection-line.tsx";
import { Composer, type Drafts } from "./composer.tsx";
import { MessageList } from "./message-list.tsx";
import { ModelMenu } from "./model-menu.tsx";
import { sendingFrom } from "./sending.ts";

type Props = Readonly<{ state: WindowState; drafts: Drafts; onMenu: () => void }>;

export const ChatPane = ({ state, drafts, onMenu }: Props): VNode => {
  const { openId, models, conversations } = state;
  const connection = state.app?.connection;
  const one = openId === null ? undefined : state.loaded[openId];
  const title = conversations?.find(({ id }) => id === openId)?.title ?? "New conversation";
  const modelNames = useMemo(
    () => new Map((models ?? []).map(({ id, displayName }) => [id, displayName])),
    [models],
  );
  useAnswerAnnouncement(state);
  return (
    <main class="chat" aria-label="Chat">
      <header class="chat-head">
        <button
          type="button"
          class="quiet menu-button"
          aria-label="Show conversations"
          data-testid="show-sidebar"
          onClick={onMenu}
        >
          <Icon name="menu" />
        </button>
        <h1 data-testid="chat-title" title={title}>
          {title}
        </h1>
        <ModelMenu models={models} chosen={chosenModel(state)} isBusy={isBusy(state, openId)} />
      </header>
      <Banners state={state} />
      {openId !== null && one !== undefined && (one.messages.length > 0 || one.isAsking) ? (
        <MessageList key={openId} id={openId} conversation={one} modelNames={modelNames} />
      ) : (
        <Empty
          isLoading={openId !== null && one === undefined}
          connection={state.app?.connection}
        />
      )}
      <Composer
        conversationId={openId}
        drafts={drafts}
        sending={sendingFrom(state)}
        isSimulated={connection?.kind === "ready" && connection.isSimulated === true}
      />
    </main>
  );
};

type EmptyProps = Readonly<{ isLoading: boolean; connection: Connection | undefined }>;

const Empty = ({ isLoading, connection }: EmptyProps) => (
  <div class="empty-pane" data-testid="empty">
    {isLoading ? (
      <p>Opening…</p>
    ) : (
      <>
        <h2>What can I help with?</h2>
        {connection !== undefined && connection.kind !== "unconfigured" && (
          <p>Your messages go to Claude through {hostOf(connection.relayUrl)}.</p>
        )}
      </>
    )}
  </div>
);

const spokenLength = 1500;

/** Reads an answer out when it has ended. */
const useAnswerAnnouncement = ({ openId, loaded }: WindowState): void => {
  const announce = useAnnounce();
  const last = openId === null ? undefined : loaded[openId]?.messages.at(-1);
  const streamed = useRef<string | null>(null);
  const ending = last?.role === "assistant" ? last.ending.kind : undefined;
  useEffect(() => {
    if (last?.role !== "assistant" || ending === undefined) {
      return;
    }
    if (ending === "streaming") {
      streamed.current = last.id;
      announce("Claude is answering.");
    } else if (streamed.current === last.id) {
      streamed.current = null;
      announce(`${endingWords[ending]} ${last.text.slice(0, spokenLength)}`);
    }
  }, [last?.id, ending]);
};

const endingWords = {
  complete: "Claude answered:",
  stopped: "The answer was stopped:",
  failed: "The answer failed.",
} as const;
