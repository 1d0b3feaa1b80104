import type { Calls, Given } from "./calls.ts";
import { chosenModel, isBusy } from "./window-state.ts";

/** What the chat pane's controls do. */
export type ChatControls = Readonly<{
  send(text: string): Promise<Sent>;
  stop(): Promise<void>;
  /** Asks again for the last answer. */
  retry(): Promise<void>;
}>;

/** A message that was not taken goes back to what is being written in its conversation; null: in none yet. */
export type Sent = Readonly<{ isTaken: boolean; conversationId: string | null }>;

export const createChatControls = ({ store, now }: Given, { attempt }: Calls): ChatControls => {
  const { dispatch } = store;
  let provisionals = 0;

  /** The open conversation's id; a conversation is begun when none is open. */
  const begun = async (): Promise<string | null> => {
    const { openId } = store.get();
    const model = chosenModel(store.get());
    if (openId !== null || model === null) {
      return openId;
    }
    const created = await attempt("conversations.create", { model });
    if (created === undefined) {
      return null;
    }
    dispatch({ type: "loaded", conversation: created.result });
    if (store.get().openId === null) {
      dispatch({ type: "opened", id: created.result.id });
    }
    return created.result.id;
  };

  return {
    send: async (text) => {
      const id = await begun();
      if (id === null) {
        return { isTaken: false, conversationId: null };
      }
      provisionals += 1;
      const provisionalId = `provisional-${provisionals}`;
      const message = { role: "user", id: provisionalId, text, sentAt: now() } as const;
      dispatch({ type: "sending", id, message });
      const sent = await attempt("chat.send", { conversationId: id, text });
      if (sent === undefined) {
        dispatch({ type: "send_failed", id, provisionalId });
        return { isTaken: false, conversationId: id };
      }
      dispatch({ type: "sent", id, provisionalId, message: sent.result });
      return { isTaken: true, conversationId: id };
    },
    stop: async () => {
      const { openId: id } = store.get();
      if (id !== null && isBusy(store.get(), id)) {
        await attempt("chat.stop", { conversationId: id });
      }
    },
    retry: async () => {
      const { openId: id } = store.get();
      if (id === null || isBusy(store.get(), id)) {
        return;
      }
      dispatch({ type: "retrying", id });
      if ((await attempt("chat.retry", { conversationId: id })) === undefined) {
        dispatch({ type: "retry_failed", id });
      }
    },
  };
};
