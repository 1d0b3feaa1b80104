import type { Bridge, Method, Params, Results } from "../../bridge/protocol.ts";
import type { Store } from "./store.ts";

export type Given = Readonly<{
  bridge: Bridge;
  store: Store;
  now: () => number;
  wait: (ms: number) => Promise<void>;
}>;

/** The ways to call the main process. None throws. */
export type Calls = Readonly<{
  /** A fault is shown to the user, and gives undefined. */
  attempt<M extends Method>(
    method: M,
    params: Params<M>,
  ): Promise<Readonly<{ result: Results[M] }> | undefined>;
  askUsage(): Promise<void>;
  askModels(): Promise<void>;
  /** Gives whether the conversation is there. */
  askConversation(id: string): Promise<boolean>;
}>;

export const createCalls = ({ bridge, store: { dispatch } }: Given): Calls => {
  const attempt: Calls["attempt"] = async (method, params) => {
    try {
      return { result: await bridge.call(method, params) };
    } catch (error) {
      dispatch({ type: "failed", message: wordsOf(error) });
      return undefined;
    }
  };
  return {
    attempt,
    askUsage: async () => {
      try {
        dispatch({ type: "usage_told", usage: await bridge.call("usage.get", {}) });
      } catch {
        // It was asked for without the user, and what is shown stays true for a while.
      }
    },
    askModels: async () => {
      try {
        dispatch({ type: "models_listed", models: await bridge.call("models.list", {}) });
      } catch (error) {
        dispatch({ type: "models_failed", message: wordsOf(error) });
      }
    },
    askConversation: async (id) => {
      const found = await attempt("conversations.get", { id });
      if (found !== undefined) {
        dispatch({ type: "loaded", conversation: found.result });
      }
      return found !== undefined;
    },
  };
};

/** What to tell the user of something thrown. */
export const wordsOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : "Something went wrong.";
