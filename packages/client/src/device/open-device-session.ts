import { join } from "node:path";
import { configFolder as defaultFolder } from "./config-folder.ts";
import { createDeviceIdFile, relayName } from "./device-id-file.ts";
import { DeviceSession } from "./device-session.ts";
import { createFileLock } from "./file-lock.ts";
import { KeychainUnavailableError, openKeychainStore } from "./keychain-store.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { SecretStore } from "./ports.ts";
import { relayAddressFrom } from "./relay-address.ts";
import type { DeviceSessionOptions } from "./session-options.ts";

export type OpenOptions = Omit<DeviceSessionOptions, "store" | "lock" | "idFile"> &
  Readonly<{
    /** Where the lock is, and the device's id without a keychain. By default this user's. */
    configFolder?: string | undefined;
    /** In place of the system's keychain. */
    store?: SecretStore | undefined;
  }>;

export type OpenedSession = Readonly<{
  session: DeviceSession;
  storeKind: SecretStore["kind"];
  /** What the user should be told: that there is no keychain. Null otherwise. */
  notice: string | null;
}>;

const noKeychain =
  "No system keychain found. Your sign-in is kept in memory and renewed at each start.";

/**
 * A session with all that this machine has: its keychain, or else memory, and a lock over processes.
 * @throws RelayConfigurationError with the remedy
 */
export const openDeviceSession = async (options: OpenOptions = {}): Promise<OpenedSession> => {
  const environment = options.environment ?? process.env;
  const { relayUrl } = relayAddressFrom({ ...options, environment });
  const folder = options.configFolder ?? defaultFolder(environment);
  const store = options.store ?? (await keychainOrMemory());
  const isForgetful = store.kind === "memory";
  const session = new DeviceSession({
    ...options,
    store,
    lock: createFileLock(join(folder, `refresh-${relayName(relayUrl)}.lock`)),
    ...(isForgetful && { idFile: createDeviceIdFile(folder, relayUrl) }),
  });
  return { session, storeKind: store.kind, notice: isForgetful ? noKeychain : null };
};

const keychainOrMemory = async (): Promise<SecretStore> => {
  try {
    return await openKeychainStore();
  } catch (error) {
    if (error instanceof KeychainUnavailableError) {
      return createMemoryStore();
    }
    throw error;
  }
};
