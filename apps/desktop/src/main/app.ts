/** The app's two halves joined: settings, relay and chat behind the methods that the window calls. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type {
  SecretStore,
  SessionClock,
  SessionRandom,
  SessionTimers,
} from "@claude-relay/client/device";
import type { AppEvent, AppState, Params, Results } from "../bridge/protocol.ts";
import { appStateFrom } from "./app-state.ts";
import { type AnswerCall, createCalls } from "./calls.ts";
import type { ChatMethod, ChatPart, ChatPartOptions, Methods, ShellMethod } from "./chat-port.ts";
import { errorLine } from "./error-line.ts";
import { createLinkOpener } from "./link-open.ts";
import { createNotices, type Notices } from "./notices.ts";
import { proxyFromEnvironment } from "./proxy-bootstrap.ts";
import { RelayLink, type RelayLinkParts } from "./relay/relay-link.ts";
import { openSettingsFile, type SettingsFile } from "./settings-file.ts";
import type { OpenedStore } from "./shell/shell-keychain.ts";

export interface App {
  readonly answer: AnswerCall;
  /** The window came to the front, or the machine woke. */
  woke(): void;
  /** Ends what is under way; what is kept is written. */
  stop(): Promise<void>;
}

export type AppParts = Readonly<{
  appVersion: string;
  deviceName: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** This user's, of all of claude-relay. */
  configFolder: string;
  /** The app's own in it. */
  folder: string;
  store: Promise<OpenedStore>;
  createChat: (options: ChatPartOptions) => ChatPart;
  emit: (event: AppEvent) => void;
  log: (line: string) => void;
  clock: SessionClock;
  timers: SessionTimers;
  random: SessionRandom;
}>;

/** Starts the app: the relay that is known is connected to in the background. */
export const startApp = (parts: AppParts): App => {
  const { log } = parts;
  const notices = createNotices(parts.emit);
  makeFolder(parts.folder, notices);
  const settings = openSettingsFile(join(parts.folder, "settings.json"));
  const { address: fixed, fault } = proxyFromEnvironment(parts.environment);
  for (const notice of [settings.notice, fault]) {
    addNotice(notice, notices, log);
  }
  const store = openStore(parts, notices);
  let chat: ChatPart | undefined;
  const link = linkRelay(parts, {
    store,
    settings,
    fixed,
    notices,
    onOtherRelay: () => chat?.relayChanged(),
  });
  const chatMade = store.then((opened) => {
    chat = createChat(parts, opened, link);
    return chat;
  });
  const chatNotices = (): readonly string[] => chat?.notices() ?? [];
  const state = appStateFrom({ ...parts, link, settings, fixed, notices, chatNotices });
  const methods = {
    ...shellMethods(state, link, settings, createLinkOpener()),
    ...chatMethods(chatMade),
  };
  return {
    answer: createCalls(methods, log),
    woke: () => link.woke(),
    stop: async () => {
      await chat?.stop();
      await link.stop();
    },
  };
};

type LinkParts = Pick<RelayLinkParts, "store" | "settings" | "fixed" | "onOtherRelay"> &
  Readonly<{ notices: Notices }>;

const linkRelay = (parts: AppParts, { notices, ...rest }: LinkParts): RelayLink => {
  const { emit, log } = parts;
  let wasReady = false;
  const link = new RelayLink({
    ...parts,
    ...rest,
    onNotice: notices.add,
    onConnection: (connection) => {
      emit({ type: "connection_changed", connection });
      const isReady = connection.kind === "ready";
      if (isReady && !wasReady) {
        emit({ type: "models_changed" });
        emit({ type: "usage_changed" });
      }
      wasReady = isReady;
    },
  });
  link.start().catch((error: unknown) => {
    log(`The relay could not be connected to: ${errorLine(error)}`);
  });
  return link;
};

const createChat = (parts: AppParts, store: SecretStore, link: RelayLink): ChatPart => {
  const { folder, emit, clock, random, log } = parts;
  const relayFailed = (): void => link.failed();
  return parts.createChat({
    ...{ relay: link.current, relayFailed, store, folder, emit, clock, random, log },
  });
};

const shellMethods = (
  state: () => AppState,
  link: RelayLink,
  settings: SettingsFile,
  openLink: (url: string) => Promise<void>,
): Methods<ShellMethod> => ({
  "state.get": async () => state(),
  "relay.connect": async ({ address, enrollmentCode }) => {
    await link.connect(address, enrollmentCode);
    return null;
  },
  "relay.retry": async () => {
    await link.retry();
    return null;
  },
  "relay.disconnect": async () => {
    await link.disconnect();
    return null;
  },
  "settings.set": async (changes) => {
    settings.change(changes);
    return settings.settings;
  },
  "link.open": async ({ url }) => {
    await openLink(url);
    return null;
  },
});

/** The chat waits for the keychain, where the key to its conversations is. */
const chatMethods = (made: Promise<ChatPart>): Methods<ChatMethod> => {
  const later =
    <Name extends ChatMethod>(name: Name) =>
    async (params: Params<Name>): Promise<Results[Name]> => {
      const { methods } = await made;
      return methods[name](params);
    };
  return {
    "models.list": later("models.list"),
    "usage.get": later("usage.get"),
    "conversations.list": later("conversations.list"),
    "conversations.get": later("conversations.get"),
    "conversations.create": later("conversations.create"),
    "conversations.rename": later("conversations.rename"),
    "conversations.set_model": later("conversations.set_model"),
    "conversations.delete": later("conversations.delete"),
    "chat.send": later("chat.send"),
    "chat.stop": later("chat.stop"),
    "chat.retry": later("chat.retry"),
  };
};

const makeFolder = (folder: string, notices: Notices): void => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    notices.add(
      `The app's folder cannot be made (${code}), so that nothing is kept: ${folder}. Make the folder above it writable for you.`,
    );
  }
};

const openStore = async ({ store, log }: AppParts, notices: Notices): Promise<SecretStore> => {
  const opened = await store;
  addNotice(opened.notice, notices, log);
  return opened.store;
};

const addNotice = (notice: string | null, notices: Notices, log: (line: string) => void): void => {
  if (notice !== null) {
    log(notice);
    notices.add(notice);
  }
};
