/** This machine as a device of a relay: its session, over the store that keeps it. */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import {
  type DeviceSession,
  KeychainUnavailableError,
  openDeviceSession,
  openKeychainStore,
  RelayError,
  type SecretStore,
  SignedOutError,
  WaitingForApprovalError,
} from "@claude-relay/client/device";
import {
  type ConnectedRelay,
  readConnectedRelays,
  rememberAsking,
  type SignInStore,
} from "./connected-relays.ts";
import { isUsedByDesktopApp } from "./desktop-app.ts";
import { Fault, printable } from "./fault.ts";
import { ownName, quoted } from "./own-name.ts";
import { operatorsName } from "./relay-address.ts";
import { fileStore, signInPath } from "./sign-in-file.ts";
import { alone } from "./state-lock.ts";
import { cliVersion } from "./version.ts";

/** Says something to the person, on standard error. */
type Note = (line: string) => void;

/** @throws Fault when the store cannot be opened or is damaged */
export const openSession = async (
  { url, store }: Pick<ConnectedRelay, "url" | "store">,
  folder: string,
  code?: string,
): Promise<DeviceSession> => {
  const { session } = await openDeviceSession({
    relayUrl: url,
    // Nothing of the shell's may lead it elsewhere.
    environment: {},
    configFolder: folder,
    enrollmentCode: code,
    appVersion: `cli ${cliVersion}`,
    deviceName: hostname(),
    store: store === "file" ? fileStore(folder, url) : await keychain(),
  });
  return session;
};

type SignInOptions = Readonly<{
  store: SignInStore;
  folder: string;
  code: string | undefined;
  note: Note;
}>;

/**
 * Makes this machine a device of the relay, unless it is one, and gives its token. Where an admin must approve
 * the device it waits, for as long as the person does.
 * @throws Fault with the way out
 */
export const signIn = async (
  url: string,
  { store, folder, code, note }: SignInOptions,
): Promise<Readonly<{ relay: ConnectedRelay; token: string }>> => {
  const session = await openSession({ url, store }, folder, code);
  // Nobody else keeps one in such a file; a connect that was ended too early may have.
  let made =
    store === "file" || readConnectedRelays(folder).all.some((one) => one.url === url && one.made);
  session.on(({ type }) => {
    made ||= type === "bootstrapped";
  });
  try {
    const token = await session.token().catch(async (error: unknown) => {
      if (!(error instanceof WaitingForApprovalError)) {
        throw error;
      }
      // An undo must find it, should this process be ended while it waits.
      await alone(folder, () => rememberAsking(folder, { url, store, made: true }));
      return waitForApproval(session, error, note);
    });
    return { relay: { url, store, made }, token };
  } catch (error) {
    if (error instanceof SignedOutError && error.reason === "refused") {
      await alone(folder, () => rememberAsking(folder, { url, store, made: true }));
    }
    throw signInFault(url, error);
  } finally {
    await session.stop();
  }
};

const waitForApproval = async (
  session: DeviceSession,
  { deviceId, fingerprint }: WaitingForApprovalError,
  note: Note,
): Promise<string> => {
  const operator = operatorsName(session.relayUrl);
  note(
    `The relay's operator must approve this device: ${hostname()}, id ${deviceId}, fingerprint ${fingerprint}.`,
  );
  note(
    `They see the same with ${operator} devices, and let it in with ${operator} devices approve ${deviceId}. Waiting for it (Ctrl-C ends the wait; the same command takes it up again)…`,
  );
  sayWhenAway(session, note);
  try {
    return (await session.ready()).token;
  } catch (error) {
    throw error instanceof SignedOutError && error.reason === "refused"
      ? new Denied(
          `${session.relayUrl} turned this device away (id ${deviceId}, fingerprint ${fingerprint}): ${printable(error.message)} If that was a mistake, they let it ask again with ${operator} devices enable ${deviceId}, and you connect again. ${anotherDevice(session.relayUrl)}`,
        )
      : error;
  }
};

/** Once each time: it is asked again and again. */
const sayWhenAway = (session: DeviceSession, note: Note): void => {
  let away = false;
  session.on((event) => {
    if (event.type === "offline" && !away) {
      note(`${printable(event.message)} Still waiting…`);
    }
    away = event.type === "offline";
  });
};

/** The operator said no. */
class Denied extends Fault {}

const anotherDevice = (url: string): string =>
  `To ask as another device: ${ownName()} connect --undo ${quoted(url)}, then connect again.`;

/**
 * Forgets this machine's sign-in at a relay, which is not asked.
 * @returns the device's id there; null when there was no sign-in
 * @throws Fault
 */
export const signOut = async (relay: ConnectedRelay, folder: string): Promise<string | null> => {
  if (relay.store === "file" && !existsSync(signInPath(folder, relay.url))) {
    return null;
  }
  const session = await openSession(relay, folder);
  const { deviceId } = await session.identity();
  await session.signOut();
  await session.stop();
  return deviceId;
};

/** What went wrong with a session, and the way out. */
export const signInFault = (url: string, error: unknown): unknown => {
  if (error instanceof SignedOutError) {
    return new Fault(`${inPlainWords(error)} ${wayBackIn(url, error.reason)}`.trimEnd());
  }
  if (error instanceof WaitingForApprovalError) {
    return new Fault(`${error.message} Ask the operator of ${url}, then try again.`);
  }
  return error instanceof RelayError
    ? new Fault(`There is no token from ${url}: ${printable(error.message)}`)
    : error;
};

/** The relay's own words, which for codes are made for programs. */
const inPlainWords = ({ message, reason }: SignedOutError): string => {
  const words = printable(message);
  return reason !== "enrollment_code"
    ? words
    : words
        .replace(
          /^enrollment_code is required: .*$/,
          "This relay lets new devices in by an enrollment code: ask its operator for one.",
        )
        .replace(/^enrollment_code is /, "The enrollment code is ");
};

const wayBackIn = (url: string, reason: SignedOutError["reason"]): string => {
  switch (reason) {
    case "enrollment_code":
      return `With a code from its operator: ${ownName()} connect ${quoted(url)} --code <code>.`;
    case "refused":
    case "asked":
      return anotherDevice(url);
    case "update_needed":
      // The relay's own words say all there is to do.
      return "";
  }
};

/**
 * Where a sign-in is to be kept: as told, or where it is kept already, or in the keychain.
 * @throws Fault when there is none: a file that is not encrypted is for the person to choose
 */
export const chooseStore = async (
  url: string,
  folder: string,
  told: SignInStore | undefined,
): Promise<SignInStore> => {
  const { all, asked } = readConnectedRelays(folder);
  const known = [...all, ...asked].find((relay) => relay.url === url);
  const moves = known?.made && told !== undefined && told !== known.store;
  if (moves && !isUsedByDesktopApp(folder, known)) {
    // Two stores would be two devices, and one of them forgotten about.
    await signOut(known, folder);
  }
  const store = told ?? known?.store;
  if (store !== undefined) {
    return store;
  }
  await keychain();
  return "keychain";
};

/** The system's. @throws Fault when there is none, or it cannot be opened */
export const keychain = async (): Promise<SecretStore> => {
  try {
    return await openKeychainStore();
  } catch (error) {
    throw error instanceof KeychainUnavailableError
      ? new Fault(
          `No keychain can be used here. Where there is none, connect with --store file: the sign-in is then kept in a file, not encrypted, readable by you alone. Where there is one, unlock it. (${printable(error.message)})`,
        )
      : error;
  }
};
