import { isIPv6 } from "node:net";
import { isPrivateHost } from "@claude-relay/client/device";
import { Fault } from "./fault.ts";
import { ownName } from "./own-name.ts";
import type { Settings } from "./settings.ts";

export type RelayAddress = Readonly<{
  /** Without a trailing slash: paths are appended. */
  url: string;
  /** Only this machine can be meant. */
  loopback: boolean;
}>;

/**
 * Where the relay is: what `--url` says, or `CLAUDE_RELAY_URL`, or the `HOST` and `PORT` that a relay
 * started in this folder would listen on.
 * @throws Fault when that is no address
 */
export const relayAddress = (settings: Settings, given: string | undefined): RelayAddress => {
  if (given !== undefined) {
    return parse(given, "--url");
  }
  const named = settings.get("CLAUDE_RELAY_URL");
  return named === null ? ownAddress(settings) : parse(named.value, "CLAUDE_RELAY_URL");
};

/**
 * The relay to connect to, as its operator gave the address: alone, or as a link with the enrollment code
 * behind `#code=`, where no server and no log sees it.
 * @throws Fault when that is no address, or one that would show the token to everyone on the way
 */
export const relayToConnect = (
  given: string,
  code: string | undefined,
): RelayAddress & Readonly<{ code: string | undefined }> => {
  const [text = "", fragment] = given.trim().split("#", 2);
  const address = addressOf(text);
  if (
    address.url.startsWith("http:") &&
    !address.loopback &&
    !isPrivateHost(new URL(address.url).hostname)
  ) {
    throw new Fault(
      `${address.url} is not https: anyone on the way could read the token. Use the relay's https address.`,
    );
  }
  const linked = new URLSearchParams(fragment).get("code") ?? undefined;
  return { ...address, code: code ?? linked };
};

/** The address that somebody wrote. @throws Fault when it is none */
export const addressOf = (text: string): RelayAddress => parse(text, "The relay's address");

const ownAddress = (settings: Settings): RelayAddress => {
  const port = settings.get("PORT")?.value ?? "3001";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new Fault(`PORT must be a whole number from 0 to 65535, not "${port}".`);
  }
  if (Number(port) === 0) {
    throw new Fault(
      "PORT=0 lets the relay take any free port: name the one its log shows with --url http://127.0.0.1:PORT.",
    );
  }
  return parse(`http://${reachable(settings.get("HOST")?.value ?? "127.0.0.1")}:${port}`, "HOST");
};

/** "Every address" is one to listen on, not to call. */
const reachable = (host: string): string => {
  if (host === "0.0.0.0") {
    return "127.0.0.1";
  }
  if (host === "::") {
    return "[::1]";
  }
  return isIPv6(host) ? `[${host}]` : host;
};

const parse = (text: string, name: string): RelayAddress => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Fault(
      `${name} must be an address such as https://relay.example.com.${suggestion(text.trim())}`,
    );
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new Fault(`${name} must hold no user name, password, query or fragment.`);
  }
  return { url: url.href.replace(/\/+$/, ""), loopback: isLoopbackName(url.hostname) };
};

/** For a host and a port without `http://` before them. */
const suggestion = (text: string): string => {
  const guess = `http://${text}`;
  if (text.includes("//") || !/^[\w.[\]:/-]+$/.test(text) || !URL.canParse(guess)) {
    return "";
  }
  const { hostname } = new URL(guess);
  return ` Did you mean ${isPrivateHost(hostname) ? guess : `https://${text}`}?`;
};

/** The words for a command of that relay's operator: on this machine as here, elsewhere where it lies there. */
export const operatorsName = (url: string): string =>
  isLoopbackName(new URL(url).hostname) ? ownName() : "claude-relay";

const isLoopbackName = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
