import type { KeptConversation } from "./kept-conversation.ts";

/** Where conversations are kept. */
export interface Shelf {
  /** Each conversation that can be read, in no order. @throws when the place itself cannot be read */
  readAll(visit: (conversation: KeptConversation) => void): Promise<void>;
  /** Null when it is gone or cannot be opened any more. @throws when it cannot be read now */
  read(id: string): Promise<KeptConversation | null>;
  /** Resolves when it is safe from a crash. @throws when it could not be written; what was there stays */
  write(conversation: KeptConversation): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Keeps nothing: where there is no keychain for the key, what was said ends with the app. */
export const createForgetfulShelf = (): Shelf => ({
  readAll: async () => undefined,
  read: async () => null,
  write: async () => undefined,
  remove: async () => undefined,
});
