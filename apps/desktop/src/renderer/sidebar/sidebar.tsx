import type { RefObject, VNode } from "preact";
import { useState } from "preact/hooks";
import type { Connection } from "../../bridge/connection.ts";
import type { ConversationSummary } from "../../bridge/conversation.ts";
import type { UsageReport } from "../../bridge/usage.ts";
import { Icon } from "../shell/icon.tsx";
import { memo } from "../shell/memo.ts";
import { useController } from "../state/hooks.ts";
import { ConnectionLine } from "../status/connection-line.tsx";
import { UsageMeter } from "../status/usage-meter.tsx";
import { groupConversations } from "./conversation-groups.ts";
import { ConversationRow } from "./conversation-row.tsx";

type Props = Readonly<{
  /** Null: not listed yet. */
  conversations: readonly ConversationSummary[] | null;
  openId: string | null;
  streaming: Readonly<Record<string, string>>;
  usage: UsageReport | null;
  connection: Connection;
  searchBox: RefObject<HTMLInputElement | null>;
  /** In a narrow window the sidebar gives way to what was chosen. */
  onChosen: () => void;
  onSettings: () => void;
}>;

export const Sidebar = memo((props: Props): VNode => {
  const { conversations, openId, streaming, searchBox, onChosen } = props;
  const { openNew } = useController();
  const [search, setSearch] = useState("");
  const groups = groupConversations(conversations ?? [], search, Date.now());
  const hasAny = (conversations ?? []).length > 0;
  return (
    <aside class="sidebar" aria-label="Conversations" data-testid="sidebar">
      <div class="sidebar-head">
        <button
          type="button"
          class="new"
          data-testid="new-conversation"
          title="New conversation (Ctrl+N)"
          onClick={() => {
            openNew();
            onChosen();
          }}
        >
          <Icon name="plus" />
          New conversation
        </button>
        <Search box={searchBox} search={search} onSearch={setSearch} />
      </div>
      <nav aria-label="Conversations" onKeyDown={moveByArrows}>
        {groups.map(({ name, conversations: group }) => (
          <section key={name} aria-label={name}>
            <h2>{name}</h2>
            <ul>
              {group.map((conversation) => (
                <ConversationRow
                  key={conversation.id}
                  conversation={conversation}
                  isOpen={conversation.id === openId}
                  isStreaming={streaming[conversation.id] !== undefined}
                  onOpened={onChosen}
                />
              ))}
            </ul>
          </section>
        ))}
        {conversations !== null && groups.length === 0 && (
          <p class="none" data-testid="no-conversations">
            {hasAny ? "No title has these words." : "Your conversations will appear here."}
          </p>
        )}
      </nav>
      <div class="sidebar-foot">
        {props.usage !== null && <UsageMeter usage={props.usage} />}
        <ConnectionLine connection={props.connection} onSettings={props.onSettings} />
      </div>
    </aside>
  );
});

type SearchProps = Readonly<{
  box: RefObject<HTMLInputElement | null>;
  search: string;
  onSearch: (search: string) => void;
}>;

const Search = ({ box, search, onSearch }: SearchProps) => (
  <label class="search">
    <Icon name="search" />
    <span class="off-screen">Search conversations by title</span>
    <input
      ref={box}
      type="search"
      value={search}
      placeholder="Search"
      title="Search by title (Ctrl+K)"
      data-testid="search"
      onInput={(event) => onSearch(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape" && search !== "") {
          event.stopPropagation();
          onSearch("");
        }
        if (event.key === "ArrowDown" || event.key === "Enter") {
          event.preventDefault();
          const first = titlesOf(event.currentTarget.closest("aside"))[0];
          first?.focus();
          if (event.key === "Enter") {
            first?.click();
          }
        }
      }}
    />
  </label>
);

const titlesOf = (within: Element | null): HTMLElement[] => [
  ...(within?.querySelectorAll<HTMLElement>(".row-title") ?? []),
];

/** Up and down go from title to title. */
const moveByArrows = (event: KeyboardEvent & { currentTarget: HTMLElement }): void => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || !(event.target instanceof HTMLElement)) {
    return;
  }
  const titles = titlesOf(event.currentTarget);
  const at = titles.indexOf(event.target);
  if (at >= 0) {
    event.preventDefault();
    titles[at + step]?.focus();
  }
};
