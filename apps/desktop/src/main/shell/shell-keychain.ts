/** The system's keychain, as the shell opens it for the main process. */
import {
  createMemoryStore,
  type SecretStore,
  type SessionTimers,
} from "@claude-relay/client/device";
import type { FromMain, FromShell } from "../../bridge/wire.ts";
import { printable } from "../printable.ts";

type SecretAsk = Extract<FromMain, { type: `secret_${string}` }>;
type WithoutId<Line> = Line extends { id: number } ? Omit<Line, "id"> : never;
export type SecretAnswer = Extract<FromShell, { type: `secret_${string}` }>;

/** The keychain did not do it. The message is the shell's; it holds no secret. */
export class ShellKeychainError extends Error {
  readonly code: "no_keychain" | "failed";

  constructor(code: "no_keychain" | "failed", message: string) {
    super(message);
    this.name = "ShellKeychainError";
    this.code = code;
  }
}

type Options = Readonly<{ send: (line: SecretAsk) => void; timers: SessionTimers }>;

/** The system may ask its user for a password first. */
const longestMs = 60_000;
/** What a shell that ends needs to keep a secret. */
const lastWordsMs = 300;

type Asked = Readonly<{
  isQuestion: boolean;
  resolve: (value: string | null) => void;
  reject: (error: ShellKeychainError) => void;
}>;

/** A store that asks the shell, one thing after the other: two writes of one entry must not cross. */
export class ShellKeychain {
  readonly #send: (line: SecretAsk) => void;
  readonly #timers: SessionTimers;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** The shell is going. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  constructor({ send, timers }: Options) {
    this.#send = send;
    this.#timers = timers;
  }

  readonly store: SecretStore = {
    kind: "keychain",
    get: (name) => this.#inTurn({ type: "secret_get", name }),
    set: async (name, value) => void (await this.#inTurn({ type: "secret_set", name, value })),
    delete: async (name) => void (await this.#inTurn({ type: "secret_delete", name })),
  };

  /** Takes the shell's answer to one of the store's lines. */
  answer(line: SecretAnswer): void {
    const asked = this.#asked.get(line.id);
    if (line.type === "secret_reply") {
      asked?.resolve(line.value);
    } else {
      asked?.reject(new ShellKeychainError(line.code, printable(line.message)));
    }
  }

  /**
   * The shell answers no more. What it is told to keep it may still keep, as it waits for this process to end: a
   * token that came at the last moment has replaced the one that is in the keychain.
   */
  close(): void {
    this.#isClosed = true;
    for (const asked of this.#asked.values()) {
      this.#endSoon(asked);
    }
  }

  #inTurn(line: WithoutId<SecretAsk>): Promise<string | null> {
    const turn = this.#last.then(() => this.#ask(line));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #ask(line: WithoutId<SecretAsk>): Promise<string | null> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<string | null>();
    const asked = { isQuestion: line.type === "secret_get", resolve, reject };
    this.#asked.set(id, asked);
    const cancel = this.#timers.after(longestMs, () => reject(fault("it does not answer")));
    this.#send({ ...line, id });
    if (this.#isClosed) {
      this.#endSoon(asked);
    }
    try {
      return await promise;
    } finally {
      cancel();
      this.#asked.delete(id);
    }
  }

  /** A question will not be answered any more; what was to be kept is, in a moment. */
  #endSoon({ isQuestion, resolve, reject }: Asked): void {
    if (isQuestion) {
      reject(fault("the shell is gone"));
    } else {
      this.#timers.after(lastWordsMs, () => resolve(null));
    }
  }
}

const fault = (why: string): ShellKeychainError => new ShellKeychainError("failed", why);

/** Left in the keychain, so that a look is enough to know that it can be written too. */
const check = { name: "desktop store check", value: "ok" };

export type OpenedStore = Readonly<{
  store: SecretStore;
  /** What the user must know; null where there is a keychain. */
  notice: string | null;
}>;

/** The shell's keychain where it can be used, else memory: never a file beside what it locks. */
export const keychainOrMemory = async (keychain: ShellKeychain): Promise<OpenedStore> => {
  const { store } = keychain;
  try {
    if ((await store.get(check.name)) !== check.value) {
      await store.set(check.name, check.value);
      if ((await store.get(check.name)) !== check.value) {
        throw fault("it forgets");
      }
    }
    return { store, notice: null };
  } catch (error) {
    // When the app is being closed there is nobody left to tell.
    const notice = keychain.isClosed ? null : `${whyNot(error)} ${consequence}`;
    return { store: createMemoryStore(), notice };
  }
};

const consequence =
  "Your sign-in is kept in memory and renewed at each start: a relay that lets devices in by code or approval asks for one each time.";

const whyNot = (error: unknown): string => {
  if (!(error instanceof ShellKeychainError)) {
    throw error;
  }
  if (error.code === "no_keychain") {
    return "No system keychain found.";
  }
  return /prompt dismissed|locked|denied|cancel/i.test(error.message)
    ? "The system keychain stayed locked. Unlock it and start the app again."
    : `The system keychain cannot be used: ${error.message.replace(/\.$/, "")}. Unlock it and start the app again.`;
};
