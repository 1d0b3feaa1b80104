/** `claude-relay connect`: this machine becomes a device of a relay, and Claude Code's settings point at it. */
import { configFolder } from "@claude-relay/client/device";
import { Command, Option } from "commander";
import {
  claudeCodeRelay,
  inTheWay,
  type Places,
  pointClaudeCodeAt,
  takeClaudeCodeBack,
  wantedSettings,
} from "../claude-code/connection.ts";
import { helperCommand } from "../claude-code/helper-command.ts";
import { setMember } from "../claude-code/json-text.ts";
import { claudeSettingsPath, readClaudeSettings } from "../claude-code/settings-file.ts";
import {
  type ConnectedRelay,
  connectedRelay,
  forgetRelay,
  readConnectedRelays,
  rememberRelay,
  type SignInStore,
  signInStores,
} from "../connected-relays.ts";
import { Fault } from "../fault.ts";
import { type RelayAddress, relayToConnect } from "../relay-address.ts";
import { checkRelay, checkToken } from "../relay-check.ts";
import { sdkLines, usualShell } from "../shell-lines.ts";
import { chooseStore, signIn, signOut } from "../sign-in.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";

type ConnectOptions = CommonOptions &
  Readonly<{ code?: string; store?: SignInStore; print?: true; undo?: true }>;

export const connectCommand = (terminal: Terminal): Command =>
  new Command("connect")
    .description("connect this machine, with Claude Code and the SDKs, to a relay")
    .argument("[url]", "the relay's address")
    .option("--code <code>", "the enrollment code its operator gave you")
    .addOption(
      new Option("--store <where>", "keep the sign-in there; otherwise in the keychain").choices(
        signInStores,
      ),
    )
    .option("--print", "print Claude Code's settings instead of writing them")
    .option("--undo", "take back what connecting changed, and forget the relay")
    .action(async (given: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ConnectOptions>();
      const folder = configFolder(terminal.env);
      const places = { settings: claudeSettingsPath(terminal.env), folder };
      const url = given ?? options.url;
      if (options.undo) {
        await undo(terminal, places, url);
      } else if (url === undefined) {
        throw new Fault("Which relay? claude-relay connect <url>, as its operator gave it to you.");
      } else {
        await connect(terminal, places, relayToConnect(url, options.code), options);
      }
    });

type Wanted = RelayAddress & Readonly<{ code: string | undefined }>;

const connect = async (
  terminal: Terminal,
  places: Places,
  relay: Wanted,
  { store, print }: ConnectOptions,
): Promise<void> => {
  // Before anything is used up: a code can be used once.
  readClaudeSettings(places.settings);
  readConnectedRelays(places.folder);
  const { version, upstream } = await checkRelay(relay);
  terminal.note(`${relay.url} is claude-relay ${version}; upstream: ${upstream}.`);
  const { note } = terminal;
  const where = await chooseStore(relay.url, places.folder, store);
  const { folder } = places;
  const { relay: connected, token } = await signIn(relay.url, {
    store: where,
    folder,
    code: relay.code,
    note,
  });
  rememberRelay(folder, connected);
  if (print) {
    terminal.print(settingsFor(relay.url));
  } else {
    writeSettings(terminal, places, relay.url);
    sdkLines(relay.url, helperCommand(relay.url), usualShell(terminal.env)).forEach(terminal.print);
  }
  warnAboutEnvironment(terminal);
  await check(terminal, relay, token);
};

const writeSettings = (terminal: Terminal, places: Places, url: string): void => {
  const { changed, backup, setAside } = pointClaudeCodeAt(url, places, new Date());
  terminal.note(
    changed
      ? `Claude Code uses the relay from now on: ${places.settings}. Back with claude-relay connect --undo.`
      : `Claude Code uses the relay already: ${places.settings}.`,
  );
  if (backup !== null) {
    terminal.note(`The file as it was: ${backup}.`);
  }
  if (setAside.length > 0) {
    terminal.note(`Taken out of it until then: ${setAside.join(", ")}.`);
  }
  terminal.note(
    "For programs with an SDK: claude-relay run -- <program>. Or these lines, in the shell that starts them and not in your profile: Claude Code would send a second token.",
  );
};

/** Claude Code takes these from the shell it is started in, past its settings. */
const warnAboutEnvironment = (terminal: Terminal): void => {
  const set = inTheWay.filter((name) => terminal.env[name]);
  if (set.length > 0) {
    terminal.note(
      `Your shell sets ${set.join(", ")}, which Claude Code would send beside the relay's token, and two different credentials are refused ("Invalid API key"). Before you start claude, here and in your profile: unset ${set.join(" ")}`,
    );
  }
};

const check = async (terminal: Terminal, relay: RelayAddress, token: string): Promise<void> => {
  try {
    const { models, model, inputTokens } = await checkToken(relay, token);
    terminal.note(
      `Checked with a real request: ${models} models; "Hello" is ${inputTokens} tokens for ${model}.`,
    );
  } catch (error) {
    throw error instanceof Fault ? new Fault(`Connected, but: ${error.message}`) : error;
  }
};

const settingsFor = (url: string): string =>
  wantedSettings(url).reduce(
    (text, { path, value }) =>
      value === null ? text : setMember(text, path, JSON.stringify(value)),
    "{}",
  );

const undo = async (
  terminal: Terminal,
  places: Places,
  given: string | undefined,
): Promise<void> => {
  const written = claudeCodeRelay(places);
  const url = given === undefined ? written : relayToConnect(given, undefined).url;
  const { all, usual } = readConnectedRelays(places.folder);
  const relay = url === null ? usual : (all.find((one) => one.url === url) ?? null);
  const restores = written !== null && (written === url || url === null);
  if (relay === null && !restores) {
    throw new Fault(
      url === null
        ? "There is nothing to take back: this machine is not connected to a relay."
        : `There is nothing to take back: ${notConnected(places.folder, url)}`,
    );
  }
  if (restores) {
    restore(terminal, places);
  }
  if (relay !== null) {
    await leave(terminal, places, relay);
  }
};

const leave = async (
  terminal: Terminal,
  { folder }: Places,
  relay: ConnectedRelay,
): Promise<void> => {
  if (relay.made) {
    await signOut(relay, folder);
  }
  forgetRelay(folder, relay.url);
  terminal.note(
    relay.made
      ? `This machine has forgotten its sign-in at ${relay.url}. The relay still lists it as a device: its operator can revoke it.`
      : `This machine stays signed in at ${relay.url}, as it was before.`,
  );
};

const restore = (terminal: Terminal, places: Places): void => {
  const kept = takeClaudeCodeBack(places) ?? [];
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
