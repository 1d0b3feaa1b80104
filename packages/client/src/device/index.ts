/** `@claude-relay/client/device`: this machine's own sign-in at a relay, for desktop apps and command lines. */
export {
  RelayConfigurationError,
  RelayConnectionError,
  RelayError,
  RelayTimeoutError,
} from "../errors.ts";
export { configFolder } from "./config-folder.ts";
export { SignedOutError, WaitingForApprovalError } from "./device-errors.ts";
export type {
  DeviceSessionEvent,
  DeviceSessionListener,
  DeviceSessionState,
  DeviceToken,
  SignedOutReason,
} from "./device-events.ts";
export { createDeviceIdFile, type DeviceIdFile } from "./device-id-file.ts";
export { DeviceSession } from "./device-session.ts";
export { createFileLock } from "./file-lock.ts";
export { KeychainUnavailableError, openKeychainStore } from "./keychain-store.ts";
export { createMemoryStore } from "./memory-store.ts";
export { type OpenedSession, type OpenOptions, openDeviceSession } from "./open-device-session.ts";
export type {
  SecretStore,
  SessionClock,
  SessionLock,
  SessionRandom,
  SessionTimers,
} from "./ports.ts";
export { isPrivateHost, type RelayAddress, relayAddressFrom } from "./relay-address.ts";
export type { DeviceSessionOptions, TokenOptions } from "./session-options.ts";
