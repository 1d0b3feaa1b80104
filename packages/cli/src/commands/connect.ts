/** `claude-relay connect`: this machine becomes a device of a relay, and Claude Code's settings point at it. */
import { Command, Option } from "commander";
import {
  inTheWay,
  type Places,
  pointClaudeCodeAt,
  type Written,
  wantedSettings,
} from "../claude-code/connection.ts";
import { gatewaySignIn } from "../claude-code/gateway-sign-in.ts";
import { helperCommand } from "../claude-code/helper-command.ts";
import { setMember } from "../claude-code/json-text.ts";
import { claudeSettingsPath, readClaudeSettings } from "../claude-code/settings-file.ts";
import {
  readConnectedRelays,
  rememberRelay,
  type SignInStore,
  signInStores,
} from "../connected-relays.ts";
import { Fault, printable } from "../fault.ts";
import { ownFolder } from "../own-folder.ts";
import { ownName } from "../own-name.ts";
import { type RelayAddress, relayToConnect } from "../relay-address.ts";
import { checkRelay, checkToken } from "../relay-check.ts";
import { sdkLines, usualShell } from "../shell-lines.ts";
import { chooseStore, signIn } from "../sign-in.ts";
import { demandRoom } from "../state-file.ts";
import { alone } from "../state-lock.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { undoConnection } from "./connect-undo.ts";

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
      const folder = ownFolder(terminal.env);
      const places = { settings: claudeSettingsPath(terminal.env), folder };
      const url = given ?? options.url;
      if (options.undo) {
        await undoConnection(terminal, places, url);
      } else if (url === undefined) {
        throw new Fault(`Which relay? ${ownName()} connect <url>, as its operator gave it to you.`);
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
  demandRoom(places.folder);
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
  // The relay that is meant from now on and the one in the settings are the same, whoever else connects just now.
  const written = await alone(folder, () => {
    rememberRelay(folder, connected);
    return print ? null : pointClaudeCodeAt(relay.url, places, new Date());
  });
  if (written === null) {
    terminal.print(settingsFor(relay.url));
  } else {
    tellWritten(terminal, places, written);
    sdkLines(relay.url, helperCommand(relay.url), usualShell(terminal.env)).forEach(terminal.print);
  }
  warnAboutEnvironment(terminal);
  await check(terminal, relay, token);
};

const tellWritten = (
  terminal: Terminal,
  { settings }: Places,
  { changed, backup, setAside }: Written,
): void => {
  const gateway = gatewaySignIn(settings);
  const uses = `Claude Code uses the relay ${changed ? "from now on" : "already"}`;
  const stands = gateway === null ? uses : "Claude Code's settings name the relay";
  const back = changed ? ` Back with ${ownName()} connect --undo` : "";
  terminal.note(`${stands}: ${settings}.${back}`);
  if (gateway !== null) {
    terminal.note(
      `But somebody signed in at Claude Code's /login to the gateway ${printable(gateway)}, and that comes first: it goes on with that. To have it use this connection, type /logout in Claude Code and start it again.`,
    );
  }
  if (backup !== null) {
    terminal.note(`The file as it was: ${backup}.`);
  }
  if (setAside.length > 0) {
    terminal.note(`Taken out of it until then: ${setAside.join(", ")}.`);
  }
  terminal.note(
    `For programs with an SDK: ${ownName()} run -- <program>. Or these lines, in the shell that starts them and not in your profile: Claude Code would send a second token.`,
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
