/** The relays this machine is connected to, kept in `relays.json`. No secret is in it. */
import { join } from "node:path";
import { Fault } from "./fault.ts";
import { isObject } from "./json-object.ts";
import { damaged, readState, writeState } from "./state-file.ts";

/** Where the sign-in is kept: the system's keychain, or a file that only its owner can read. */
export const signInStores = ["keychain", "file"] as const;
export type SignInStore = (typeof signInStores)[number];

export type ConnectedRelay = Readonly<{
  url: string;
  store: SignInStore;
  /** Whether connecting made the sign-in; false: it was there, another program's of this user. */
  made: boolean;
}>;

export type ConnectedRelays = Readonly<{
  all: readonly ConnectedRelay[];
  /** The one that is meant when none is named: the last connected. */
  usual: ConnectedRelay | null;
}>;

/** @throws Fault when the file is damaged */
export const readConnectedRelays = (folder: string): ConnectedRelays => {
  const path = pathIn(folder);
  const { default: usual = null, relays = {} } = readState(path);
  if (!isObject(relays) || (usual !== null && typeof usual !== "string")) {
    throw damaged(path);
  }
  const all = Object.entries(relays).map(([url, kept]): ConnectedRelay => {
    const { store: name, made } = isObject(kept) ? kept : {};
    const store = signInStores.find((one) => one === name);
    if (store === undefined || typeof made !== "boolean" || !URL.canParse(url)) {
      throw damaged(path);
    }
    return { url, store, made };
  });
  return { all, usual: all.find(({ url }) => url === usual) ?? all.at(-1) ?? null };
};

/** Remembers a relay, and that it is now the one meant when none is named. @throws Fault */
export const rememberRelay = (folder: string, relay: ConnectedRelay): void => {
  const others = readConnectedRelays(folder).all.filter(({ url }) => url !== relay.url);
  write(folder, [...others, relay]);
};

/** @throws Fault */
export const forgetRelay = (folder: string, url: string): void => {
  write(
    folder,
    readConnectedRelays(folder).all.filter((relay) => relay.url !== url),
  );
};

/**
 * The relay that `url` names, or the last connected.
 * @throws Fault when this machine is not connected to it
 */
export const connectedRelay = (folder: string, url: string | null): ConnectedRelay => {
  const { all, usual } = readConnectedRelays(folder);
  const found = url === null ? usual : all.find((relay) => relay.url === url);
  if (found) {
    return found;
  }
  throw new Fault(
    url === null
      ? "This machine is not connected to a relay: claude-relay connect <url>."
      : `This machine is not connected to ${url}: claude-relay connect ${url}.${known(all)}`,
  );
};

const known = (all: readonly ConnectedRelay[]): string =>
  all.length === 0 ? "" : ` It is connected to ${all.map(({ url }) => url).join(", ")}.`;

/** The last one is the usual one. */
const write = (folder: string, all: readonly ConnectedRelay[]): void =>
  writeState(pathIn(folder), {
    default: all.at(-1)?.url ?? null,
    relays: Object.fromEntries(all.map(({ url, store, made }) => [url, { store, made }])),
  });

const pathIn = (folder: string): string => join(folder, "relays.json");
