/** What the user should know of this machine, once each. */
import type { AppEvent } from "../bridge/protocol.ts";

export interface Notices {
  readonly all: readonly string[];
  /** Also tells a window that has asked for the app's state already. */
  add(message: string): void;
  /** The window has heard of all so far. */
  wereRead(): void;
}

export const createNotices = (emit: (event: AppEvent) => void): Notices => {
  const all: string[] = [];
  let isRead = false;
  return {
    all,
    add: (message) => {
      if (!all.includes(message)) {
        all.push(message);
        if (isRead) {
          emit({ type: "notice", message });
        }
      }
    },
    wereRead: () => {
      isRead = true;
    },
  };
};
