import type { VNode } from "preact";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ChatPane } from "../chat/chat-pane.tsx";
import type { Drafts } from "../chat/composer.tsx";
import { Sidebar } from "../sidebar/sidebar.tsx";
import type { Controller } from "../state/controller.ts";
import { ControllerProvider, useWindowState } from "../state/hooks.ts";
import type { Store } from "../state/store.ts";
import { isBusy, type WindowState } from "../state/window-state.ts";
import { Welcome } from "../welcome/welcome.tsx";
import { Announcer, useAnnounce } from "./announcer.tsx";
import { copyText } from "./clipboard.ts";
import { LinkTarget } from "./link-target.tsx";
import { SettingsDialog } from "./settings-dialog.tsx";
import { type Shortcut, useShortcuts } from "./shortcuts.ts";
import { ShortcutsDialog } from "./shortcuts-dialog.tsx";
import { Starting } from "./starting.tsx";
import { useTheme } from "./theme.ts";

type Props = Readonly<{ store: Store; controller: Controller }>;

export const App = ({ store, controller }: Props): VNode => {
  const state = useWindowState(store);
  useTheme(state.app?.settings.theme ?? "system");
  return (
    <ControllerProvider value={controller}>
      <Announcer>
        <Screen state={state} controller={controller} />
        <LinkTarget />
      </Announcer>
    </ControllerProvider>
  );
};

type ScreenProps = Readonly<{ state: WindowState; controller: Controller }>;

const Screen = ({ state, controller }: ScreenProps) => {
  if (state.startFault !== null) {
    return <StartFault message={state.startFault} onRetry={() => void controller.start()} />;
  }
  if (state.app === null) {
    return <Starting />;
  }
  return state.isWelcoming ? (
    <Welcome app={state.app} hasConversations={(state.conversations ?? []).length > 0} />
  ) : (
    <Chat state={state} controller={controller} />
  );
};

const Chat = ({ state, controller }: ScreenProps) => {
  const [dialog, setDialog] = useState<"settings" | "shortcuts" | null>(null);
  const [hasDrawer, setDrawer] = useState(false);
  const [searches, setSearches] = useState(0);
  const searchBox = useRef<HTMLInputElement>(null);
  const drafts = useRef<Drafts>(new Map());
  const closeDrawer = useCallback(() => setDrawer(false), []);
  const showSettings = useCallback(() => setDialog("settings"), []);
  const closeDialog = useCallback(() => setDialog(null), []);
  useChatShortcuts(state, controller, {
    search: () => {
      setDrawer(true);
      setSearches((before) => before + 1);
    },
    help: () => setDialog("shortcuts"),
    closeDrawer,
    isDialogOpen: dialog !== null,
    hasDrawer: hasDrawer && isNarrow(),
  });
  useLayoutEffect(() => {
    if (searches > 0) {
      searchBox.current?.select();
    }
  }, [searches]);
  const { app } = state;
  if (app === null) {
    return null;
  }
  return (
    <div class={hasDrawer ? "window with-drawer" : "window"}>
      <Sidebar
        conversations={state.conversations}
        openId={state.openId}
        streaming={state.streaming}
        usage={state.usage}
        connection={app.connection}
        searchBox={searchBox}
        onChosen={closeDrawer}
        onSettings={showSettings}
      />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Esc does what a click here does */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the same */}
      <div class="shade" onClick={closeDrawer} />
      <ChatPane state={state} drafts={drafts.current} onMenu={() => setDrawer(true)} />
      {dialog === "settings" && (
        <SettingsDialog
          app={app}
          models={state.models}
          onClose={closeDialog}
          onShortcuts={() => setDialog("shortcuts")}
        />
      )}
      {dialog === "shortcuts" && <ShortcutsDialog onClose={closeDialog} />}
    </div>
  );
};

/** Whether the sidebar is a drawer, as style.css has it. */
const isNarrow = (): boolean => matchMedia("(width <= 720px)").matches;

type ShortcutTargets = Readonly<{
  search: () => void;
  help: () => void;
  closeDrawer: () => void;
  isDialogOpen: boolean;
  hasDrawer: boolean;
}>;

const useChatShortcuts = (
  state: WindowState,
  controller: Controller,
  targets: ShortcutTargets,
): void => {
  const announce = useAnnounce();
  const copyLast = async () => {
    const messages = state.openId === null ? [] : (state.loaded[state.openId]?.messages ?? []);
    const answer = messages.findLast(({ role, text }) => role === "assistant" && text !== "");
    if (answer !== undefined) {
      announce((await copyText(answer.text)) ? "Answer copied" : "The answer was not copied");
    }
  };
  const run = (shortcut: Shortcut) => {
    if (targets.isDialogOpen) {
      return;
    }
    switch (shortcut) {
      case "new":
        controller.openNew();
        return targets.closeDrawer();
      case "search":
        return targets.search();
      case "help":
        return targets.help();
      case "copy":
        return void copyLast();
      case "stop":
        if (targets.hasDrawer) {
          return targets.closeDrawer();
        }
        return isBusy(state, state.openId) ? void controller.stop() : undefined;
    }
  };
  // One listener for good: the newest `run` is looked up when a key comes.
  const newest = useRef(run);
  newest.current = run;
  useShortcuts(useCallback((shortcut) => newest.current(shortcut), []));
};

const StartFault = ({ message, onRetry }: Readonly<{ message: string; onRetry: () => void }>) => {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <main class="welcome" data-testid="start-fault">
      <div class="card">
        <h1>The app could not start</h1>
        <p role="alert">{message}</p>
        <button ref={button} type="button" class="primary wide" onClick={onRetry}>
          Try again
        </button>
      </div>
    </main>
  );
};
