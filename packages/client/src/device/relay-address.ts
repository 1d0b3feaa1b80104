import { isIP } from "node:net";
import { RelayConfigurationError } from "../errors.ts";

export type RelayAddress = Readonly<{
  /** Without a slash at its end. */
  relayUrl: string;
  healthUrl: string;
}>;

type Given = Readonly<{
  relayUrl?: string | undefined;
  healthUrl?: string | undefined;
  allowInsecure?: boolean | undefined;
  environment: Readonly<Record<string, string | undefined>>;
}>;

/**
 * Where the relay is: as given, else as PROXY_BOOTSTRAP_URL and PROXY_HEALTH_URL or CLAUDE_RELAY_URL say.
 * Without TLS anyone on the way could take the token, so http is for this machine and private networks only.
 * @throws RelayConfigurationError with the remedy
 */
export const relayAddressFrom = (given: Given): RelayAddress => {
  const { environment, allowInsecure = false } = given;
  const [name, text] = firstSet([
    ["relayUrl", given.relayUrl],
    ["PROXY_BOOTSTRAP_URL", environment["PROXY_BOOTSTRAP_URL"]],
    ["CLAUDE_RELAY_URL", environment["CLAUDE_RELAY_URL"]],
  ]);
  const url = checked(name, text, allowInsecure);
  if (/\/v1(\/|$)/.test(url.pathname)) {
    throw new RelayConfigurationError(
      `${name} must not contain /v1: it is the relay's own address.`,
    );
  }
  const relayUrl = url.origin + url.pathname.replace(/\/+$/, "").replace(/\/bootstrap$/, "");
  const health = given.healthUrl ?? environment["PROXY_HEALTH_URL"];
  return {
    relayUrl,
    healthUrl: health ? checked("healthUrl", health, allowInsecure).href : `${relayUrl}/healthz`,
  };
};

const firstSet = (
  all: readonly (readonly [string, string | undefined])[],
): readonly [string, string] => {
  for (const [name, value] of all) {
    const text = value?.trim() ?? "";
    if (text !== "") {
      return [name, text];
    }
  }
  throw new RelayConfigurationError(
    "No relay is named: give its address, such as https://relay.example.com, or set CLAUDE_RELAY_URL.",
  );
};

const checked = (name: string, text: string, allowInsecure: boolean): URL => {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new RelayConfigurationError(
      `${name} must be an address that begins with https:// (or http:// on this machine).`,
    );
  }
  const url = new URL(text);
  if (url.username || url.password || url.search || url.hash) {
    throw new RelayConfigurationError(
      `${name} must be an address only: no user name, password, "?" or "#".`,
    );
  }
  if (url.protocol === "http:" && !allowInsecure && !isPrivateHost(url.hostname)) {
    throw new RelayConfigurationError(
      `${name} is http:// to ${url.hostname}, a public host: anyone on the way could take the token. Use https://.`,
    );
  }
  return url;
};

/** Whether a host name, as a URL holds it, is this machine or of a private network. No name is looked up. */
export const isPrivateHost = (hostname: string): boolean => {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  switch (isIP(host)) {
    case 4:
      return privateV4.test(host);
    case 6:
      return /^(::1$|f[cd]|fe[89ab])/.test(host);
    default:
      return !host.includes(".") || /\.(localhost|local|internal|lan|home\.arpa)\.?$/.test(host);
  }
};

/** 127/8, 10/8, 192.168/16, 169.254/16, 172.16/12 and the carriers' 100.64/10, which private nets use too. */
const privateV4 =
  /^(127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;
