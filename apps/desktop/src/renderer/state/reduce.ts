import type { Connection } from "../../bridge/connection.ts";
import type { Conversation, ConversationSummary } from "../../bridge/conversation.ts";
import type { AppEvent, AppState } from "../../bridge/protocol.ts";
import {
  addProvisional,
  confirmMessage,
  dropProvisional,
  growReply,
  keepLoaded,
  settleReply,
  startReply,
} from "./conversation-changes.ts";
import type { Action, LoadedConversation, WindowState } from "./window-state.ts";

/** The next state. Pure: what happened is in `action`, its time too. */
export const reduce = (state: WindowState, action: Action): WindowState => {
  switch (action.type) {
    case "heard":
      return hear(state, action.event, action.at);
    case "started":
      return started(state, action.app);
    case "start_failed":
      return { ...state, startFault: action.message };
    case "welcome_shown":
      return { ...state, isWelcoming: action.shown };
    case "listed":
      return listed(state, action.conversations);
    case "models_listed":
      return { ...state, models: action.models, modelsFault: null };
    case "models_failed":
      return { ...state, modelsFault: action.message };
    case "usage_told":
      return { ...state, usage: action.usage };
    case "settings_changed":
      return withApp(state, { settings: action.settings });
    case "opened":
      return { ...state, openId: action.id, ...(action.id === null && { newModel: null }) };
    case "model_chosen":
      return chooseModel(state, action.id, action.model);
    case "renamed":
      return renamed(state, action.id, action.title);
    case "deleted":
      return listed(
        state,
        (state.conversations ?? []).filter(({ id }) => id !== action.id),
      );
    case "failed":
      return { ...state, fault: action.message };
    case "fault_dismissed":
      return { ...state, fault: null };
    case "notice_dismissed":
      return withApp(
        { ...state, dismissed: [...state.dismissed, action.notice] },
        { notices: (state.app?.notices ?? []).filter((notice) => notice !== action.notice) },
      );
    default:
      return reduceChat(state, action);
  }
};

type ChatAction = Extract<
  Action,
  { type: "loaded" | "reloaded" | "sending" | "sent" | "send_failed" | "retrying" | "retry_failed" }
>;

const reduceChat = (state: WindowState, action: ChatAction): WindowState => {
  switch (action.type) {
    case "loaded": {
      const { id } = action.conversation;
      const kept = keepLoaded(state.loaded[id], action.conversation);
      return { ...state, loaded: { ...state.loaded, [id]: kept } };
    }
    case "reloaded":
      return reload(state, action.conversation);
    case "sending":
      return change(state, action.id, (one) => addProvisional(one, action.message));
    case "sent":
      return change(state, action.id, (one) =>
        confirmMessage(one, action.provisionalId, action.message),
      );
    case "send_failed":
      return change(state, action.id, (one) => dropProvisional(one, action.provisionalId));
    case "retrying":
      return change(state, action.id, (one) => ({ ...one, isAsking: true }));
    case "retry_failed":
      return change(state, action.id, (one) => ({ ...one, isAsking: false }));
  }
};

const reload = (state: WindowState, { id, model, messages }: Conversation): WindowState => {
  const one = { model, messages, isAsking: false, heard: [] };
  const { [id]: _, ...others } = state.streaming;
  const last = messages.at(-1);
  const isComing = last?.role === "assistant" && last.ending.kind === "streaming";
  return {
    ...state,
    streaming: isComing ? { ...others, [id]: last.id } : others,
    loaded: { ...state.loaded, [id]: one },
  };
};

const hear = (state: WindowState, event: AppEvent, at: number): WindowState => {
  switch (event.type) {
    case "connection_changed":
      if (state.app === null) {
        return { ...state, earlyConnection: event.connection };
      }
      return connected(withApp(state, { connection: event.connection }), event.connection);
    case "conversations_changed":
      return listed(state, event.conversations);
    case "reply_started": {
      const { conversationId: id, replyId, model } = event;
      const next = { ...state, streaming: { ...state.streaming, [id]: replyId } };
      return change(next, id, (one) => startReply(one, { replyId, model, at }));
    }
    case "reply_delta":
      return change(state, event.conversationId, (one) =>
        growReply(one, event.replyId, event.text),
      );
    case "reply_ended": {
      const { conversationId: id, replyId, ending } = event;
      const { [id]: current, ...others } = state.streaming;
      const next = current === replyId ? { ...state, streaming: others } : state;
      return change(next, id, (one) => settleReply(one, replyId, ending));
    }
    case "notice":
      return addNotice(state, event.message);
    case "usage_changed":
    case "models_changed":
      return state;
  }
};

/** Replies and events reach the window on two paths: what was heard before is not older. */
const started = (state: WindowState, app: AppState): WindowState => {
  const connection = state.earlyConnection ?? app.connection;
  const told = [...new Set([...(state.app?.notices ?? []), ...app.notices])];
  const notices = told.filter((notice) => !state.dismissed.includes(notice));
  const next = { ...state, earlyConnection: null, startFault: null };
  return connected({ ...next, app: { ...app, connection, notices } }, connection);
};

/** The welcome screen comes when there is nothing else to show, and goes when the relay lets us in. */
const connected = (state: WindowState, connection: Connection): WindowState => {
  const isEmpty = (state.conversations ?? []).length === 0;
  switch (connection.kind) {
    case "ready":
    case "refreshing":
      return { ...state, isWelcoming: false };
    case "unconfigured":
      return { ...state, isWelcoming: true };
    case "waiting_for_approval":
    case "signed_out":
    case "update_needed":
      return isEmpty ? { ...state, isWelcoming: true } : state;
    case "connecting":
    case "offline":
      return state;
  }
};

const listed = (state: WindowState, conversations: readonly ConversationSummary[]): WindowState => {
  const ids = new Set(conversations.map(({ id }) => id));
  const wasListed = (state.conversations ?? []).some(({ id }) => id === state.openId);
  const isGone = state.openId !== null && wasListed && !ids.has(state.openId);
  const openId = isGone ? null : state.openId;
  const loaded = Object.fromEntries(
    Object.entries(state.loaded).filter(([id]) => ids.has(id) || id === openId),
  );
  return { ...state, conversations, openId, loaded };
};

const renamed = (state: WindowState, id: string, title: string): WindowState => ({
  ...state,
  conversations: (state.conversations ?? []).map((one) =>
    one.id === id ? { ...one, title } : one,
  ),
});

const chooseModel = (state: WindowState, id: string | null, model: string): WindowState =>
  id === null ? { ...state, newModel: model } : change(state, id, (one) => ({ ...one, model }));

const addNotice = (state: WindowState, notice: string): WindowState => {
  const notices = state.app?.notices ?? [];
  return notices.includes(notice) ? state : withApp(state, { notices: [...notices, notice] });
};

const withApp = (state: WindowState, changes: Partial<AppState>): WindowState =>
  state.app === null ? state : { ...state, app: { ...state.app, ...changes } };

const change = (
  state: WindowState,
  id: string,
  by: (one: LoadedConversation) => LoadedConversation,
): WindowState => {
  const one = state.loaded[id];
  return one === undefined ? state : { ...state, loaded: { ...state.loaded, [id]: by(one) } };
};
