import { RelayConfigurationError } from "./errors.ts";
import { sleepFor } from "./watch.ts";

export type ClientOptions = Readonly<{
  /** The relay's address, without `/v1`. */
  url: string;
  /** An app key (`crk_…`). */
  key: string;
  /** The longest a whole call may take, retries included; a stream: until it begins. Default 300,000. */
  timeoutMs?: number | undefined;
  /** The longest silence inside a stream (the relay sends a sign of life every 15 s). Default 90,000. */
  idleTimeoutMs?: number | undefined;
  /** How often a failed call is repeated. Default 2; 0 never repeats. */
  maxRetries?: number | undefined;
  /**
   * Also repeat a completion that may have been paid for already: after 500, 502 or 504, or a connection
   * that broke after the prompt was sent. Default false.
   */
  retryMaybeBilled?: boolean | undefined;
  /** Sends the requests; the platform's by default. */
  fetch?: typeof globalThis.fetch | undefined;
  /** A number in [0, 1); for tests. */
  random?: (() => number) | undefined;
  /** Waits so many milliseconds, or rejects with the signal's reason; for tests. */
  sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined;
}>;

/** The options, checked and completed. `base` has no slash at its end. */
export type Settings = Readonly<{
  base: string;
  key: string;
  timeoutMs: number;
  idleTimeoutMs: number;
  maxRetries: number;
  retryMaybeBilled: boolean;
  fetch: typeof globalThis.fetch;
  random: () => number;
  sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}>;

type Names = Readonly<{ url: string; key: string }>;

/** Throws RelayConfigurationError with what is wrong and the remedy; never shows a value, which may be a secret. */
export const settingsFrom = (
  options: ClientOptions,
  names: Names = { url: "url", key: "key" },
): Settings => ({
  base: baseOf(options.url, names.url),
  key: keyOf(options.key, names.key),
  timeoutMs: milliseconds("timeoutMs", options.timeoutMs ?? 300_000),
  idleTimeoutMs: milliseconds("idleTimeoutMs", options.idleTimeoutMs ?? 90_000),
  maxRetries: retries(options.maxRetries ?? 2),
  retryMaybeBilled: options.retryMaybeBilled ?? false,
  fetch: options.fetch ?? ((...request) => globalThis.fetch(...request)),
  random: options.random ?? Math.random,
  sleep: options.sleep ?? sleepFor,
});

/** The settings in CLAUDE_RELAY_URL and CLAUDE_RELAY_KEY, as they are now. */
export const settingsFromEnvironment = (): Settings => {
  const { process } = globalThis as { process?: { env: Record<string, string | undefined> } };
  const environment = process?.env ?? {};
  const names = { url: "CLAUDE_RELAY_URL", key: "CLAUDE_RELAY_KEY" };
  return settingsFrom(
    { url: environment[names.url] ?? "", key: environment[names.key] ?? "" },
    names,
  );
};

/** A time limit in whole or broken milliseconds that a timer can hold. */
export const milliseconds = (name: string, value: number): number => {
  // Timers take 31 bits; a larger number would fire at once.
  if (!(value > 0 && value <= 2_147_483_647)) {
    throw new RelayConfigurationError(
      `${name} must be a number of milliseconds above 0 and below 2^31.`,
    );
  }
  return value;
};

const retries = (value: number): number => {
  if (!Number.isInteger(value) || value < 0) {
    throw new RelayConfigurationError("maxRetries must be a whole number, 0 or more.");
  }
  return value;
};

const baseOf = (given: unknown, name: string): string => {
  const text = textOf(given, name, "the relay's address, such as https://relay.example.com");
  if (!/^https?:\/\//i.test(text)) {
    throw new RelayConfigurationError(`${name} must begin with https:// or http://.`);
  }
  if (!URL.canParse(text)) {
    throw new RelayConfigurationError(`${name} is not a valid URL.`);
  }
  const { origin, pathname, search, hash, username, password } = new URL(text);
  if (username || password || search || hash) {
    throw new RelayConfigurationError(
      `${name} must be an address only: no user name, password, "?" or "#".`,
    );
  }
  const path = pathname.replace(/\/+$/, "");
  if (/\/v1(\/|$)/.test(path)) {
    throw new RelayConfigurationError(`${name} must not contain /v1: the client adds it.`);
  }
  return origin + path;
};

const keyOf = (given: unknown, name: string): string => {
  const text = textOf(given, name, "an app key (crk_…), which ./bin/genkey <label> prints");
  // Checked here, as fetch would show the whole key in its complaint about the header.
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new RelayConfigurationError(`${name} holds a character that no key has.`);
  }
  return text;
};

const textOf = (given: unknown, name: string, what: string): string => {
  const text = typeof given === "string" ? given.trim() : "";
  if (text === "") {
    throw new RelayConfigurationError(`${name} is not set: it must be ${what}.`);
  }
  return text;
};
