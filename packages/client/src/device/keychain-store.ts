import { RelayError } from "../errors.ts";
import type { SecretStore } from "./ports.ts";

/** There is no keychain here, or it cannot be opened. The message says which, never a secret. */
export class KeychainUnavailableError extends RelayError {
  constructor(message: string) {
    super(message, { type: "keychain_unavailable" });
  }
}

const service = "claude-relay";
/** Left in the keychain, so that a look is enough to know that it can be written too. */
const check = { name: "store check", value: "ok" };
/** A keychain may ask its user for a password first. */
const longestMs = 60_000;

/**
 * The system's keychain: Keychain on macOS, Credential Manager on Windows, the Secret Service on Linux.
 * Loads `@napi-rs/keyring`, an optional dependency, only now.
 * @throws KeychainUnavailableError
 */
export const openKeychainStore = async (): Promise<SecretStore> => {
  const { AsyncEntry } = await import("@napi-rs/keyring").catch(() => {
    throw new KeychainUnavailableError(
      "The keychain module (@napi-rs/keyring) is not installed or does not run on this system.",
    );
  });
  // Left to itself the library falls back to the kernel's keyring, which forgets at the next start.
  const entry = (name: string) =>
    new AsyncEntry(service, name, { linux: { store: "secret-service" } });
  const store: SecretStore = {
    kind: "keychain",
    get: (name) => inTime(async () => (await entry(name).getPassword()) ?? null),
    set: (name, value) => inTime(() => entry(name).setPassword(value)),
    delete: (name) =>
      inTime(async () => {
        await entry(name).deleteCredential();
      }),
  };
  try {
    if ((await store.get(check.name)) !== check.value) {
      await store.set(check.name, check.value);
      if ((await store.get(check.name)) !== check.value) {
        throw new Error("it forgets");
      }
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : "no reason given";
    throw new KeychainUnavailableError(`The system keychain cannot be used: ${why}`);
  }
  return store;
};

const inTime = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it does not answer")), longestMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
};
