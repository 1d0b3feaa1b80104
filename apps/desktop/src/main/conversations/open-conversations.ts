import { join } from "node:path";
import type {
  SecretStore,
  SessionClock,
  SessionRandom,
  SessionTimers,
} from "@claude-relay/client/device";
import type { AppEvent } from "../../bridge/protocol.ts";
import { conversationKey } from "./conversation-key.ts";
import { Conversations, reasonOf } from "./conversations.ts";
import { openFileShelf, type Trouble } from "./file-shelf.ts";
import { createForgetfulShelf, type Shelf } from "./shelf.ts";

type Options = Readonly<{
  store: SecretStore;
  /** The app's own folder. */
  folder: string;
  clock: Pick<SessionClock, "now">;
  timers: SessionTimers;
  random: SessionRandom;
  emit: (event: AppEvent) => void;
  /** Told in plain words what the user should know. */
  onNotice: (message: string) => void;
}>;

/** The conversations kept on this machine; where they cannot be kept, the ones of this run. Never throws. */
export const openConversations = async (options: Options): Promise<Conversations> => {
  const { clock, timers, random, emit, onNotice } = options;
  const open = (shelf: Shelf): Promise<Conversations> =>
    Conversations.open({
      ...{ shelf, clock, timers, random },
      onListed: (conversations) => emit({ type: "conversations_changed", conversations }),
      onFault: (error) =>
        onNotice(
          `Conversations cannot be saved now (${reasonOf(error)}). What you see stays until you close the app; saving is tried again.`,
        ),
    });
  const shelf = await shelfOf(options);
  try {
    return await open(shelf);
  } catch (error) {
    onNotice(
      `Your conversations could not be read (${reasonOf(error)}). What you write now is kept until you close the app.`,
    );
    return open(createForgetfulShelf());
  }
};

const shelfOf = async ({ store, folder, clock, random, onNotice }: Options): Promise<Shelf> => {
  const key = await conversationKey(store, random);
  if (key === "no_keychain" || key === "keychain_failed") {
    onNotice(noKeyWords[key]);
    return createForgetfulShelf();
  }
  const place = join(folder, "conversations");
  try {
    return await openFileShelf({
      ...{ folder: place, key, clock, random },
      onTrouble: (why, count) => onNotice(troubleWords(why, count, place)),
    });
  } catch (error) {
    onNotice(
      `The folder for conversations cannot be used (${reasonOf(error)}): ${place}. What you write is kept until you close the app.`,
    );
    return createForgetfulShelf();
  }
};

const noKeyWords = {
  no_keychain:
    "Without a system keychain to hold their key, conversations are not written to disk: what you write is kept until you close the app, and what was kept before is not shown.",
  keychain_failed:
    "The system keychain did not give the key to your conversations: the ones kept here are not shown, and what you write now is kept until you close the app. Unlock the keychain and start the app again.",
} as const;

const troubleWords = (why: Trouble, count: number, folder: string): string => {
  const [those, they] =
    count === 1
      ? ["One conversation", "its file was"]
      : [`${count} conversations`, "their files were"];
  switch (why) {
    case "damaged":
      return `${those} could not be read because the file is damaged or was changed: ${they} put aside, ending in .damaged, in ${folder}.`;
    case "other_key":
      return `${those} cannot be opened because the key is no longer in the keychain: ${they} put aside, ending in .other-key, in ${folder}. If the old key comes back, so do they.`;
    case "unreadable":
      return `${those} cannot be read at the moment and left out: make all files in ${folder} readable for you, and start the app again.`;
  }
};
