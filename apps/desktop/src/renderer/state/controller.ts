/** What the window's controls do: calls to the main process, and what became of them. */
import type { AppEvent } from "../../bridge/protocol.ts";
import { askState, type Calls, createCalls, type Given, wordsOf } from "./calls.ts";
import { catchUp } from "./catch-up.ts";
import { type ChatControls, createChatControls } from "./chat-controls.ts";
import { type ConversationControls, createConversationControls } from "./conversation-controls.ts";
import { createRelayControls, type RelayControls } from "./relay-controls.ts";

export type Controller = ChatControls &
  ConversationControls &
  RelayControls &
  Pick<Calls, "askUsage" | "askModels"> &
  Readonly<{
    /** Listens, and asks for what the window shows first. Again after it failed. */
    start(): Promise<void>;
  }>;

export const createController = (given: Given): Controller => {
  const calls = createCalls(given);
  const { bridge, store } = given;
  let isListening = false;
  return {
    ...createChatControls(given, calls),
    ...createConversationControls(given, calls),
    ...createRelayControls(given, calls),
    askUsage: calls.askUsage,
    askModels: calls.askModels,
    start: async () => {
      if (!isListening) {
        isListening = true;
        bridge.on((event) => void hear(given, calls, event));
      }
      try {
        store.dispatch({
          type: "listed",
          conversations: await bridge.call("conversations.list", {}),
        });
        await askState(given);
      } catch (error) {
        store.dispatch({ type: "start_failed", message: wordsOf(error) });
        return;
      }
      await askAgain(given, calls);
    },
  };
};

/** Tells the store of an event, and asks for what it made old. */
const hear = async (given: Given, calls: Calls, event: AppEvent): Promise<void> => {
  const { store, now } = given;
  const wasIn = isIn(store.get().app?.connection.kind);
  store.dispatch({ type: "heard", event, at: now() });
  switch (event.type) {
    case "connection_changed":
      if (!wasIn && isIn(event.connection.kind)) {
        await Promise.all([calls.askModels(), calls.askUsage()]);
      }
      return;
    case "usage_changed":
      return calls.askUsage();
    case "models_changed":
      return calls.askModels();
    case "reply_ended": {
      const one = store.get().loaded[event.conversationId];
      if (one !== undefined && !one.heard.includes(event.replyId)) {
        // It began before this window did, so letters of it may be missing here.
        await calls.askConversation(event.conversationId);
      }
      return;
    }
    case "notice":
      await catchUp(given);
      return askAgain(given, calls);
    case "conversations_changed":
    case "reply_started":
    case "reply_delta":
      return;
  }
};

const askAgain = async ({ store }: Given, calls: Calls): Promise<void> => {
  if (isIn(store.get().app?.connection.kind)) {
    await Promise.all([calls.askModels(), calls.askUsage()]);
  }
};

const isIn = (kind: string | undefined): boolean => kind === "ready" || kind === "refreshing";
