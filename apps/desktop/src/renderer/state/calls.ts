import type { Connection } from "../../bridge/connection.ts";
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

/**
 * Asks for the app's state and shows it. A change of the connection may be heard together with the answer,
 * before whoever asked goes on: the answer, put on top of it, would undo that change for good.
 * @throws CallError
 */
export const askState = async ({ bridge, store }: Pick<Given, "bridge" | "store">) => {
  let heard: Connection | undefined;
  const end = bridge.on((event) => {
    heard = event.type === "connection_changed" ? event.connection : heard;
  });
  try {
    const app = await bridge.call("state.get", {});
    store.dispatch({ type: "started", app: { ...app, connection: heard ?? app.connection } });
  } finally {
    end();
  }
};

/** What to tell the user of something thrown. */
export const wordsOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : "Something went wrong.";
