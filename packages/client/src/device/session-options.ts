import type { DeviceIdFile } from "./device-id-file.ts";
import type {
  SecretStore,
  SessionClock,
  SessionLock,
  SessionRandom,
  SessionTimers,
} from "./ports.ts";

export type DeviceSessionOptions = Readonly<{
  /** The relay's address; by default PROXY_BOOTSTRAP_URL (without its /bootstrap) or CLAUDE_RELAY_URL. */
  relayUrl?: string | undefined;
  /** By default PROXY_HEALTH_URL, or /healthz of the relay. */
  healthUrl?: string | undefined;
  /** By default the process's. */
  environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** 8–128 printable ASCII characters; by default a random one, made once and stored. */
  deviceId?: string | undefined;
  enrollmentCode?: string | undefined;
  appVersion?: string | undefined;
  /** What people call this device, at most 64 characters; shown to whoever approves it. */
  deviceName?: string | undefined;
  /** Allows http:// to a public host: anyone on the way can take the token. Default false. */
  allowInsecure?: boolean | undefined;
  store: SecretStore;
  /** Remembers the device's id where the store forgets it. */
  idFile?: DeviceIdFile | undefined;
  /** Over all processes that share the store. By default within this session only. */
  lock?: SessionLock | undefined;
  clock?: SessionClock | undefined;
  timers?: SessionTimers | undefined;
  random?: SessionRandom | undefined;
  fetch?: typeof globalThis.fetch | undefined;
  /** The longest one answer of the relay may take. Default 15,000. */
  requestTimeoutMs?: number | undefined;
  /** The longest `token()` waits for a renewal while it has a token that is good anyway. Default 5,000. */
  patienceMs?: number | undefined;
  /** Told in plain lines what goes on; never a secret. */
  log?: ((line: string) => void) | undefined;
}>;

export type TokenOptions = Readonly<{
  /** Ends the wait; its reason is thrown. The renewal itself goes on. */
  signal?: AbortSignal | undefined;
  /** The longest wait for a token, in milliseconds. */
  timeoutMs?: number | undefined;
}>;
