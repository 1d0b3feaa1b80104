/** `claude-relay connect --undo`: Claude Code's settings as they were, and this machine's sign-in forgotten. */
import { claudeCodeRelay, type Places, takeClaudeCodeBack } from "../claude-code/connection.ts";
import {
  type ConnectedRelay,
  type ConnectedRelays,
  connectedRelay,
  forgetRelay,
  readConnectedRelays,
} from "../connected-relays.ts";
import { isUsedByDesktopApp } from "../desktop-app.ts";
import { Fault } from "../fault.ts";
import { operatorsName, relayToConnect } from "../relay-address.ts";
import { signOut } from "../sign-in.ts";
import { alone } from "../state-lock.ts";
import type { Terminal } from "../terminal.ts";

/**
 * @param given the relay to be forgotten; else the one Claude Code uses, else the last connected
 * @throws Fault when there is nothing to take back
 */
export const undoConnection = async (
  terminal: Terminal,
  places: Places,
  given: string | undefined,
): Promise<void> => {
  const written = claudeCodeRelay(places);
  const url = given === undefined ? written : relayToConnect(given, undefined).url;
  const relay = relayToForget(readConnectedRelays(places.folder), url);
  const restores = written !== null && (written === url || url === null);
  if (relay === null && !restores) {
    throw new Fault(
      url === null
        ? "There is nothing to take back: this machine is not connected to a relay."
        : `There is nothing to take back: ${notConnected(places.folder, url)}`,
    );
  }
  if (restores) {
    await restore(terminal, places);
  }
  if (relay !== null) {
    await leave(terminal, places, relay);
  }
};

/** One that only was asked can be forgotten too: it may have turned this machine away. */
const relayToForget = (
  { all, usual, asked }: ConnectedRelays,
  url: string | null,
): ConnectedRelay | null =>
  url === null
    ? (usual ?? asked.at(-1) ?? null)
    : ([...all, ...asked].find((one) => one.url === url) ?? null);

const leave = async (
  terminal: Terminal,
  { folder }: Places,
  relay: ConnectedRelay,
): Promise<void> => {
  const shared = isUsedByDesktopApp(folder, relay);
  const deviceId = relay.made && !shared ? await signOut(relay, folder) : null;
  await alone(folder, () => forgetRelay(folder, relay.url));
  if (shared) {
    terminal.note(
      `This machine stays signed in at ${relay.url}: the desktop app uses the same sign-in. To end that too, sign out there.`,
    );
    return;
  }
  terminal.note(
    relay.made
      ? `This machine has forgotten its sign-in at ${relay.url}.`
      : `This machine stays signed in at ${relay.url}, as it was before.`,
  );
  if (deviceId !== null) {
    terminal.note(
      `The relay still lists it as device ${deviceId}, until its operator runs ${operatorsName(relay.url)} devices revoke ${deviceId}`,
    );
  }
};

const restore = async (terminal: Terminal, places: Places): Promise<void> => {
  const kept = (await alone(places.folder, () => takeClaudeCodeBack(places))) ?? [];
  terminal.note(`Claude Code's settings are as they were before: ${places.settings}.`);
  if (kept.length > 0) {
    terminal.note(
      `Left alone, for they were changed since: ${kept.map((path) => path.join(".")).join(", ")}.`,
    );
  }
};

/** The words for a relay that is not among the connected ones. */
const notConnected = (folder: string, url: string): string => {
  try {
    return `this machine is connected to ${connectedRelay(folder, url).url}.`;
  } catch (error) {
    return error instanceof Fault ? error.message : String(error);
  }
};
