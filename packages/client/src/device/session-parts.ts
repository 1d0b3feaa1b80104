import { RelayConfigurationError } from "../errors.ts";
import { requireServerSide } from "../server-side.ts";
import { milliseconds } from "../settings.ts";
import { deviceIdPattern } from "./identity.ts";
import type { SessionLock } from "./ports.ts";
import { relayAddressFrom } from "./relay-address.ts";
import { createRelayCalls } from "./relay-calls.ts";
import { RelayTime } from "./relay-time.ts";
import { SessionEvents } from "./session-events.ts";
import type { DeviceSessionOptions } from "./session-options.ts";
import { systemClock, systemRandom, systemTimers } from "./system-ports.ts";
import type { KeeperParts } from "./token-keeper.ts";
import { createVault } from "./vault.ts";

/** For a session whose store no other process uses. */
const noLock: SessionLock = { hold: (work) => work() };

/** A name is a courtesy: what the relay would not take of it is left out. */
const deviceNameOf = (name: string | undefined): string | undefined =>
  Array.from(name?.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").trim() ?? "")
    .slice(0, 64)
    .join("") || undefined;

/**
 * What a session is made of, from its options, checked.
 * @throws RelayConfigurationError with the remedy
 */
export const sessionParts = (
  options: DeviceSessionOptions,
  { signal, cut }: Pick<KeeperParts, "signal" | "cut">,
): KeeperParts & Readonly<{ relayUrl: string }> => {
  requireServerSide();
  const { deviceId, store, idFile, appVersion, environment = process.env } = options;
  const address = relayAddressFrom({ ...options, environment });
  if (deviceId !== undefined && !deviceIdPattern.test(deviceId)) {
    throw new RelayConfigurationError("deviceId must be 8 to 128 printable ASCII characters.");
  }
  const timeoutMs = milliseconds("requestTimeoutMs", options.requestTimeoutMs ?? 15_000);
  const { clock = systemClock, timers = systemTimers, random = systemRandom } = options;
  const fetch = options.fetch ?? ((...request) => globalThis.fetch(...request));
  const events = new SessionEvents(options.log ?? (() => undefined));
  const onFault = (message: string): void => events.emit({ type: "store_failed", message });
  const { relayUrl } = address;
  return {
    relayUrl,
    calls: createRelayCalls({ address, fetch, timers, timeoutMs }),
    vault: createVault({ relayUrl, store, idFile, deviceId, random, onFault }),
    lock: options.lock ?? noLock,
    time: new RelayTime(clock),
    clock,
    timers,
    random,
    appVersion,
    deviceName: deviceNameOf(options.deviceName),
    lockTimeoutMs: 4 * timeoutMs,
    patienceMs: milliseconds("patienceMs", options.patienceMs ?? 5_000),
    events,
    signal,
    cut,
  };
};
