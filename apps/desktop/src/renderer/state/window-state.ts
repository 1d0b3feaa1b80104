/** What the window knows. Plain values that only `reduce` makes anew; times are epoch milliseconds. */
import type { Connection } from "../../bridge/connection.ts";
import type {
  ChatMessage,
  Conversation,
  ConversationSummary,
  UserMessage,
} from "../../bridge/conversation.ts";
import type { AppEvent, AppState, ModelChoice, Settings } from "../../bridge/protocol.ts";
import type { UsageReport } from "../../bridge/usage.ts";

export type WindowState = Readonly<{
  /** Null until the main process has told. */
  app: AppState | null;
  /** What was heard of the connection before that. */
  earlyConnection: Connection | null;
  /** Why it could not tell. */
  startFault: string | null;
  /** The welcome screen is shown in place of the chat. */
  isWelcoming: boolean;
  /** Null until listed. */
  conversations: readonly ConversationSummary[] | null;
  /** Null: a conversation that is not begun yet. */
  openId: string | null;
  loaded: Readonly<Record<string, LoadedConversation>>;
  /** Which answer is coming, by conversation. */
  streaming: Readonly<Record<string, string>>;
  /** The model for a conversation that is not begun yet, where the user chose one. */
  newModel: string | null;
  /** Null until listed. */
  models: readonly ModelChoice[] | null;
  /** Why they could not be listed, though the relay let the app in. */
  modelsFault: string | null;
  usage: UsageReport | null;
  /** Notices that the user has put away. */
  dismissed: readonly string[];
  /** What went wrong last, until it is dismissed. */
  fault: string | null;
}>;

export type LoadedConversation = Readonly<{
  model: string;
  messages: readonly ChatMessage[];
  /** A message is on its way to the main process, or an answer is being asked for again. */
  isAsking: boolean;
  /** Answers that this window heard from their first letter: its text of them is whole. */
  heard: readonly string[];
}>;

export type Action =
  | { readonly type: "heard"; readonly event: AppEvent; readonly at: number }
  | { readonly type: "started"; readonly app: AppState }
  | { readonly type: "start_failed"; readonly message: string }
  | { readonly type: "welcome_shown"; readonly shown: boolean }
  | { readonly type: "listed"; readonly conversations: readonly ConversationSummary[] }
  | { readonly type: "models_listed"; readonly models: readonly ModelChoice[] }
  | { readonly type: "models_failed"; readonly message: string }
  | { readonly type: "usage_told"; readonly usage: UsageReport }
  | { readonly type: "settings_changed"; readonly settings: Settings }
  | { readonly type: "opened"; readonly id: string | null }
  | { readonly type: "loaded"; readonly conversation: Conversation }
  /** As the main process has it, whatever this window believes. */
  | { readonly type: "reloaded"; readonly conversation: Conversation }
  | { readonly type: "renamed"; readonly id: string; readonly title: string }
  | { readonly type: "deleted"; readonly id: string }
  | { readonly type: "model_chosen"; readonly id: string | null; readonly model: string }
  | { readonly type: "sending"; readonly id: string; readonly message: UserMessage }
  | {
      readonly type: "sent";
      readonly id: string;
      readonly provisionalId: string;
      readonly message: UserMessage;
    }
  | { readonly type: "send_failed"; readonly id: string; readonly provisionalId: string }
  | { readonly type: "retrying"; readonly id: string }
  | { readonly type: "retry_failed"; readonly id: string }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "fault_dismissed" }
  | { readonly type: "notice_dismissed"; readonly notice: string };

export const initialState: WindowState = {
  app: null,
  earlyConnection: null,
  startFault: null,
  isWelcoming: false,
  conversations: null,
  openId: null,
  loaded: {},
  streaming: {},
  newModel: null,
  models: null,
  modelsFault: null,
  usage: null,
  dismissed: [],
  fault: null,
};

/** The model that the open conversation asks; null when none may be asked. */
export const chosenModel = (state: WindowState): string | null => {
  if (state.openId !== null) {
    return (
      state.loaded[state.openId]?.model ??
      state.conversations?.find(({ id }) => id === state.openId)?.model ??
      null
    );
  }
  const { newModel, models, app } = state;
  const wanted = newModel ?? app?.settings.defaultModel ?? null;
  if (models === null) {
    return wanted;
  }
  return (models.find(({ id }) => id === wanted) ?? models[0])?.id ?? null;
};

/** Whether an answer is asked for or coming in a conversation. */
export const isBusy = (state: WindowState, id: string | null): boolean =>
  id !== null && (state.streaming[id] !== undefined || state.loaded[id]?.isAsking === true);
