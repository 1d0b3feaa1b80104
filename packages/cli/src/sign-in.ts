/** This machine as a device of a relay: its session, over the store that keeps it. */
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
import { type ConnectedRelay, readConnectedRelays, type SignInStore } from "./connected-relays.ts";
import { Fault, printable } from "./fault.ts";
import { fileStore } from "./sign-in-file.ts";
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
  let made = readConnectedRelays(folder).all.some((one) => one.url === url && one.made);
  session.on(({ type }) => {
    made ||= type === "bootstrapped";
  });
  try {
    const token = await session.token().catch((error: unknown) => {
      if (!(error instanceof WaitingForApprovalError)) {
        throw error;
      }
      note(
        `The relay's operator must approve this device: id ${error.deviceId}, fingerprint ${error.fingerprint}. Waiting for it (Ctrl-C ends the wait; the same command takes it up again)…`,
      );
      return session.ready().then((got) => got.token);
    });
    return { relay: { url, store, made }, token };
  } catch (error) {
    throw signInFault(url, error);
  } finally {
    await session.stop();
  }
};

/** Forgets this machine's sign-in at a relay, which is not asked. @throws Fault */
export const signOut = async (relay: ConnectedRelay, folder: string): Promise<void> => {
  const session = await openSession(relay, folder);
  await session.signOut();
  await session.stop();
};

/** What went wrong with a session, and the way out. */
export const signInFault = (url: string, error: unknown): unknown => {
  if (error instanceof SignedOutError) {
    const words = printable(error.message);
    return new Fault(
      error.reason === "enrollment_code"
        ? `${words} With a code from its operator: claude-relay connect ${url} --code <code>.`
        : `${words} To start anew as another device: claude-relay connect --undo ${url}, then connect again.`,
    );
  }
  if (error instanceof WaitingForApprovalError) {
    return new Fault(`${error.message} Ask the operator of ${url}, then try again.`);
  }
  return error instanceof RelayError
    ? new Fault(`There is no token from ${url}: ${printable(error.message)}`)
    : error;
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
  const known = readConnectedRelays(folder).all.find((relay) => relay.url === url);
  if (known?.made && told !== undefined && told !== known.store) {
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
          `${printable(error.message).replace(/\.?$/, ".")} Unlock it; or, where there is none, connect with --store file: the sign-in is then kept in a file, not encrypted, readable by you alone.`,
        )
      : error;
  }
};
