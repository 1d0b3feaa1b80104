/**
 * `@claude-relay/client/device/kept-token`: a look at the token that a DeviceSession kept, without a session.
 * For a command that is run again and again: it loads little.
 */
import type { SecretStore } from "./ports.ts";
import { refreshWindow } from "./renewal-rules.ts";
import { parseToken } from "./stored-token.ts";

export { configFolder } from "./config-folder.ts";

/** A clock that was further off from the relay's cannot tell a token's age: that takes a session. */
const largestOffsetMs = 60_000;

/**
 * The kept token, when it needs no renewal yet; null when only a session can say.
 * @param now epoch milliseconds
 * @throws what the store throws
 */
export const keptToken = async (
  store: Pick<SecretStore, "get">,
  relayUrl: string,
  now: number,
): Promise<string | null> => {
  const held = parseToken((await store.get(`token ${relayUrl}`)) ?? "");
  const isFresh =
    held !== undefined &&
    Math.abs(held.clockOffset) <= largestOffsetMs &&
    held.issuedAt - now <= largestOffsetMs &&
    held.expiresAt - now >= refreshWindow(held);
  return isFresh ? held.token : null;
};
