import { reduce } from "./reduce.ts";
import { type Action, initialState, type WindowState } from "./window-state.ts";

/** The one place that holds the window's state. */
export type Store = Readonly<{
  get(): WindowState;
  dispatch(action: Action): void;
  /** Gives what ends the listening. */
  subscribe(listener: () => void): () => void;
}>;

/**
 * `pace` puts off the telling of new letters of an answer: many may come between two pictures. All else is
 * told at once.
 */
export const createStore = (pace: (tell: () => void) => void): Store => {
  let state = initialState;
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) {
      listener();
    }
  };
  return {
    get: () => state,
    dispatch: (action) => {
      const next = reduce(state, action);
      if (next === state) {
        return;
      }
      state = next;
      if (action.type === "heard" && action.event.type === "reply_delta") {
        pace(tell);
      } else {
        tell();
      }
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};
