/** The relays this machine is connected to, kept in `relays.json`. No secret is in it. */
import { join } from "node:path";
import { Fault, printable } from "./fault.ts";
import { isObject, type JsonObject } from "./json-object.ts";
import { ownName, quoted } from "./own-name.ts";
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
  /** Those that this machine asked to be a device of, and was not let in yet, or was turned away by. */
  asked: readonly ConnectedRelay[];
}>;

/** @throws Fault when the file is damaged */
export const readConnectedRelays = (folder: string): ConnectedRelays => {
  const path = pathIn(folder);
  const { default: usual = null, relays = {}, asked = {} } = readState(path);
  if (!isObject(relays) || !isObject(asked) || (usual !== null && typeof usual !== "string")) {
    throw damaged(path);
  }
  const all = relaysIn(relays, path);
  return {
    all,
    usual: all.find(({ url }) => url === usual) ?? all.at(-1) ?? null,
    asked: relaysIn(asked, path),
  };
};

/** Remembers a relay, and that it is now the one meant when none is named. @throws Fault */
export const rememberRelay = (folder: string, relay: ConnectedRelay): void => {
  const known = readConnectedRelays(folder);
  const { all, asked } = without(folder, relay.url);
  // Of several that connect at once only one makes the sign-in, and any may be the last to say so.
  const made = [relay, ...known.all, ...known.asked].some(
    (one) => one.url === relay.url && one.made,
  );
  write(folder, { all: [...all, { ...relay, made }], asked });
};

/** Remembers that this machine asked a relay to let it in. @throws Fault */
export const rememberAsking = (folder: string, relay: ConnectedRelay): void => {
  const { all, asked } = readConnectedRelays(folder);
  const others = asked.filter(({ url }) => url !== relay.url);
  if (!all.some(({ url }) => url === relay.url)) {
    write(folder, { all, asked: [...others, relay] });
  }
};

/** @throws Fault */
export const forgetRelay = (folder: string, url: string): void =>
  write(folder, without(folder, url));

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
      ? `This machine is not connected to a relay: ${ownName()} connect <url>.`
      : `This machine is not connected to ${printable(url)}: ${ownName()} connect ${quoted(printable(url))}.${known(all)}`,
  );
};

const known = (all: readonly ConnectedRelay[]): string =>
  all.length === 0 ? "" : ` It is connected to ${all.map(({ url }) => url).join(", ")}.`;

type Listed = Pick<ConnectedRelays, "all" | "asked">;

const without = (folder: string, gone: string): Listed => {
  const { all, asked } = readConnectedRelays(folder);
  const others = (relays: readonly ConnectedRelay[]) => relays.filter(({ url }) => url !== gone);
  return { all: others(all), asked: others(asked) };
};

const relaysIn = (kept: JsonObject, path: string): readonly ConnectedRelay[] =>
  Object.entries(kept).map(([url, one]): ConnectedRelay => {
    const { store: name, made } = isObject(one) ? one : {};
    const store = signInStores.find((known) => known === name);
    if (store === undefined || typeof made !== "boolean" || !URL.canParse(url)) {
      throw damaged(path);
    }
    return { url, store, made };
  });

/** The last one is the usual one. */
const write = (folder: string, { all, asked }: Listed): void =>
  writeState(pathIn(folder), {
    default: all.at(-1)?.url ?? null,
    relays: asObject(all),
    ...(asked.length > 0 && { asked: asObject(asked) }),
  });

const asObject = (relays: readonly ConnectedRelay[]): JsonObject =>
  Object.fromEntries(relays.map(({ url, store, made }) => [url, { store, made }]));

const pathIn = (folder: string): string => join(folder, "relays.json");
