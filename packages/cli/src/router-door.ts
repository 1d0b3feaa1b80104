/** Where a relay serves routers, and whether it does. */
import { networkInterfaces } from "node:os";
import { addressOf, type RelayAddress, relayAddress } from "./relay-address.ts";
import { askRelay, NobodyThere } from "./relay-request.ts";
import type { Settings } from "./settings.ts";

/**
 * The address that a relay on this machine serves routers at, as far as it can be told.
 * @param relayUrl where the relay is administered
 * @param told where the router is to reach it
 * @returns null for a relay elsewhere: what is between here and there says nothing about it
 */
export const routerDoor = (
  settings: Settings,
  relayUrl: string,
  told: string | undefined,
): RelayAddress | null => {
  if (!relayAddress(settings, relayUrl).loopback) {
    return null;
  }
  if (told !== undefined) {
    return isThisMachines(told) ? addressOf(told) : null;
  }
  const host = settings.get("CLAUDE_RELAY_CLOUD_HOST")?.value ?? "127.0.0.1";
  const port = settings.get("CLAUDE_RELAY_CLOUD_PORT")?.value ?? "8899";
  const here = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return URL.canParse(here) ? addressOf(here) : null;
};

/** False only when it is certain that nobody listens there. */
export const isOpen = async (door: RelayAddress): Promise<boolean> => {
  try {
    await askRelay(door, { method: "GET", path: "/health", timeoutMs: 3_000 });
    return true;
  } catch (error) {
    return !(error instanceof NobodyThere);
  }
};

const isThisMachines = (url: string): boolean => {
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
  return Object.values(networkInterfaces()).some((all) =>
    all?.some(({ address }) => address === host),
  );
};
