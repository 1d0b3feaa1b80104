/** This device's way in at the relay: where the environment says it is, and the first token. */
import {
  type DeviceSession,
  openDeviceSession,
  type RelayAddress,
  RelayConfigurationError,
  relayAddressFrom,
  type SecretStore,
  type SessionClock,
  type SessionRandom,
  type SessionTimers,
} from "@claude-relay/client/device";
import { withHealthFallback } from "./relay/health-fallback.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export type ProxyFromEnvironment = Readonly<{
  /** The relay that PROXY_BOOTSTRAP_URL or CLAUDE_RELAY_URL names; null: the user chooses. */
  address: RelayAddress | null;
  /** What is wrong with those variables. */
  fault: string | null;
}>;

/** ENABLE_PROXY=false leaves the other variables out of account. */
export const proxyFromEnvironment = (environment: Environment): ProxyFromEnvironment => {
  const isNamed = [environment["PROXY_BOOTSTRAP_URL"], environment["CLAUDE_RELAY_URL"]].some(
    (value) => value?.trim(),
  );
  const enabled = environment["ENABLE_PROXY"]?.trim().toLowerCase() ?? "";
  if (["false", "0", "no", "off"].includes(enabled)) {
    return { address: null, fault: null };
  }
  if (!isNamed) {
    const fault =
      enabled === ""
        ? null
        : "ENABLE_PROXY is set, but PROXY_BOOTSTRAP_URL does not name a relay. Enter its address here.";
    return { address: null, fault };
  }
  try {
    return { address: relayAddressFrom({ environment }), fault: null };
  } catch (error) {
    if (error instanceof RelayConfigurationError) {
      const message = error.message.replace(/^healthUrl\b/, "PROXY_HEALTH_URL");
      return { address: null, fault: `${message} Until then it is not used.` };
    }
    throw error;
  }
};

export type ProxySessionOptions = Readonly<{
  address: RelayAddress;
  enrollmentCode: string | undefined;
  store: SecretStore;
  configFolder: string;
  appVersion: string;
  /** What the operator who lets it in reads beside its fingerprint. */
  deviceName: string;
  log: (line: string) => void;
  clock: SessionClock;
  timers: SessionTimers;
  random: SessionRandom;
  /** Told what the user must know of keychain and environment. */
  onNotice: (message: string) => void;
}>;

/**
 * The sign-in of this machine at a relay. It shares the keychain's entries and the lock with the command line
 * of the same user: both are one device.
 */
export const openProxySession = async (options: ProxySessionOptions): Promise<DeviceSession> => {
  const { address, ...rest } = options;
  // What the environment names was read already, and nothing else of it counts.
  const { session } = await openDeviceSession({
    ...rest,
    ...address,
    environment: {},
    fetch: withHealthFallback(address, options.onNotice),
  });
  return session;
};

/** Gets a token, new or kept. Resolves when that was tried once; the session's state says what came of it. */
export const bootstrapProxy = async (session: DeviceSession): Promise<void> => {
  await session.token().catch(() => undefined);
};
