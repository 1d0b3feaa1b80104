import type { Connection } from "../../bridge/connection.ts";
import { chosenModel, isBusy, type WindowState } from "../state/window-state.ts";

/** Whether a message can be sent now, and if not, why: words for under the box it is written in. */
export type Sending =
  | { readonly kind: "possible" }
  /** An answer is coming: Stop stands in the place of Send. */
  | { readonly kind: "answering" }
  | { readonly kind: "impossible"; readonly why: string };

export const sendingFrom = (state: WindowState): Sending => {
  if (isBusy(state, state.openId)) {
    return { kind: "answering" };
  }
  const connection = state.app?.connection;
  const why =
    connection === undefined
      ? "The app is starting."
      : (whyNotBy(connection) ?? whyNotByConversation(state) ?? whyNotByModel(state));
  return why === null ? { kind: "possible" } : { kind: "impossible", why };
};

const whyNotBy = (connection: Connection): string | null => {
  switch (connection.kind) {
    case "ready":
    case "refreshing":
      return null;
    case "offline":
      return connection.canChat ? null : "You can write, and send when the relay is back.";
    case "connecting":
      return "Connecting to the relay. You can write meanwhile.";
    case "waiting_for_approval":
      return "You can send when the relay’s operator has approved this device.";
    case "unconfigured":
    case "signed_out":
      return "Sign in to a relay to send.";
    case "update_needed":
      return "Install the newer version of this app to send.";
  }
};

const whyNotByConversation = ({ openId, loaded }: WindowState): string | null =>
  openId !== null && loaded[openId] === undefined ? "Opening the conversation…" : null;

const whyNotByModel = (state: WindowState): string | null => {
  const { models } = state;
  const model = chosenModel(state);
  if (models === null) {
    return model === null ? "You can send when the relay has said which models you may use." : null;
  }
  if (models.length === 0) {
    return "The relay allows this device no model: ask its operator.";
  }
  return models.some(({ id }) => id === model)
    ? null
    : "This conversation’s model is no longer allowed: choose another above.";
};
