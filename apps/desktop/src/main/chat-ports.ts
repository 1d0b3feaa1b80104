/**
 * The chat's side of chat-port.ts. Made by `createChatPart(options: ChatOptions): Chat` of chat/chat-part.ts,
 * which returns at once: what is kept is read in the background, and methods wait for it.
 *
 * A method's answer must be on its way to the window before anything else happens (no timer, no I/O in
 * between): then the events that follow from a call come after its answer.
 */
import type { SessionTimers } from "@claude-relay/client/device";
import type { ChatPart, ChatPartOptions } from "./chat-port.ts";

/** `timers`: the system's unless told otherwise. Conversations are kept in `folder`/conversations. */
export type ChatOptions = ChatPartOptions & Readonly<{ timers?: SessionTimers | undefined }>;

export interface Chat extends ChatPart {
  /**
   * What the user should know of the conversations kept here, for `AppState.notices`: each was emitted as a
   * `notice`, but perhaps before a window listened.
   */
  notices(): readonly string[];
  /** To be called when another relay was chosen or the device signed out: ends the answers that are coming. */
  relayChanged(): void;
}
