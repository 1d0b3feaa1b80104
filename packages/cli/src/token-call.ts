/** A fresh token of a relay this machine is connected to. Claude Code waits for this: it loads little. */
import { keptToken } from "@claude-relay/client/device/kept-token";
import { type ConnectedRelay, connectedRelay } from "./connected-relays.ts";
import { ownFolder } from "./own-folder.ts";
import { fileStore } from "./sign-in-file.ts";

/** Whoever asks waits no longer; milliseconds. */
const longestMs = 25_000;

/**
 * The kept token while it is good for a while, without a request; else a renewed one.
 * @param url `--url`, else `CLAUDE_RELAY_URL`, else the relay connected last
 * @throws Fault with the way out
 */
export const currentToken = async (
  url: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<{ relay: ConnectedRelay; token: string }>> => {
  const folder = ownFolder(env);
  const named = url ?? env["CLAUDE_RELAY_URL"]?.trim();
  const relay = connectedRelay(folder, named ? spelled(named) : null);
  const store = await storeOf(relay, folder);
  const kept = await keptToken(store, relay.url, Date.now());
  return { relay, token: kept ?? (await renewed(relay, folder)) };
};

/** As connecting wrote it. */
const spelled = (url: string): string =>
  (URL.canParse(url) ? new URL(url).href : url).replace(/\/+$/, "");

const renewed = async (relay: ConnectedRelay, folder: string): Promise<string> => {
  const { openSession, signInFault } = await import("./sign-in.ts");
  const session = await openSession(relay, folder);
  try {
    return await session.token({ timeoutMs: longestMs });
  } catch (error) {
    // The session is not stopped: a renewal that is under way must end, or its answer is lost.
    throw signInFault(relay.url, error);
  }
};

const storeOf = async ({ url, store }: ConnectedRelay, folder: string) => {
  if (store === "file") {
    return fileStore(folder, url);
  }
  const { keychain } = await import("./sign-in.ts");
  return keychain();
};
