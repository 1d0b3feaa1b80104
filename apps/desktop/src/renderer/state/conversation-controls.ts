import type { Calls, Given } from "./calls.ts";

/** What the list of conversations and the head of the chat pane do. */
export type ConversationControls = Readonly<{
  open(id: string): Promise<void>;
  /** An empty pane; the conversation begins with its first message. */
  openNew(): void;
  rename(id: string, title: string): Promise<void>;
  remove(id: string): Promise<void>;
  /** For the open conversation, or the next one. */
  chooseModel(model: string): Promise<void>;
}>;

export const createConversationControls = (
  { store }: Given,
  { attempt, askConversation }: Calls,
): ConversationControls => {
  const { dispatch } = store;
  return {
    open: async (id) => {
      dispatch({ type: "opened", id });
      const isThere = await askConversation(id);
      const state = store.get();
      if (!isThere && state.openId === id && state.loaded[id] === undefined) {
        dispatch({ type: "opened", id: null });
      }
    },
    openNew: () => dispatch({ type: "opened", id: null }),
    rename: async (id, title) => {
      if ((await attempt("conversations.rename", { id, title })) !== undefined) {
        dispatch({ type: "renamed", id, title });
      }
    },
    remove: async (id) => {
      if ((await attempt("conversations.delete", { id })) !== undefined) {
        dispatch({ type: "deleted", id });
      }
    },
    chooseModel: async (model) => {
      const id = store.get().openId;
      if (id === null || (await attempt("conversations.set_model", { id, model })) !== undefined) {
        dispatch({ type: "model_chosen", id, model });
      }
    },
  };
};
