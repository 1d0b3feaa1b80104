import { askState, type Given } from "./calls.ts";
import { isBusy } from "./window-state.ts";

/** A main process that ended is back within seconds, or not at all. */
const tries = 10;
const pauseMs = 1_000;

/**
 * Asks for all that the window shows. After the main process ended and was started again, which the shell
 * tells of by a notice: answers that were under way are not any more, and nobody says so.
 */
export const catchUp = async (given: Given): Promise<void> => {
  for (let left = tries; left > 0; left -= 1) {
    try {
      return await askForAll(given);
    } catch {
      await given.wait(pauseMs);
    }
  }
};

const askForAll = async ({ bridge, store }: Given): Promise<void> => {
  store.dispatch({ type: "listed", conversations: await bridge.call("conversations.list", {}) });
  await askState({ bridge, store });
  const state = store.get();
  for (const id of Object.keys(state.loaded)) {
    if (isBusy(state, id)) {
      const conversation = await bridge.call("conversations.get", { id });
      store.dispatch({ type: "reloaded", conversation });
    }
  }
};
