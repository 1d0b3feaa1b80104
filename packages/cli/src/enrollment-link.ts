/** The link that `claude-relay connect` takes: the relay's address with the enrollment code behind it. */
import { outsideAddress } from "./admin-token.ts";
import { type RelayAddress, relayToConnect } from "./relay-address.ts";
import type { Settings } from "./settings.ts";

/**
 * Where devices reach the relay: as told; else the address it is administered at, when that is not this machine;
 * else its `PROXY_BASE_URL` or `NGROK_DOMAIN`.
 * @throws Fault when that is no address, or one that would show tokens to everyone on the way
 */
export const addressForDevices = (
  settings: Settings,
  administered: RelayAddress,
  told: string | undefined,
): RelayAddress => {
  const outside = outsideAddress(settings);
  const found = told ?? (administered.loopback && outside !== null ? outside : administered.url);
  const { url, loopback } = relayToConnect(found, undefined);
  return { url, loopback };
};

/** Behind `#`, where no server and no log sees the code. Plain between double quotes in any shell. */
export const enrollmentLink = ({ url }: RelayAddress, code: string): string =>
  `${url}/#code=${encodeURIComponent(code)}`.replace(/[$!]/g, percentEncoded);

const percentEncoded = (sign: string): string =>
  `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
