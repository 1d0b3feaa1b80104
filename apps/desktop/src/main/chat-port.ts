/**
 * Where the two halves of the main process meet: this half has the shell's lines, the relay session and the
 * settings; the other (chat/, conversations/, relay-api/) answers what the window asks about chatting.
 */
import type {
  SecretStore,
  SessionClock,
  SessionRandom,
  SessionTimers,
} from "@claude-relay/client/device";
import type { AppEvent, Method, Params, Results } from "../bridge/protocol.ts";
import type { CurrentRelay } from "./relay/relay-access.ts";

/** Functions behind methods. What they throw is a CallError of the bridge; anything else is a defect. */
export type Methods<Name extends Method> = {
  readonly [M in Name]: (params: Params<M>) => Promise<Results[M]>;
};

/** Answered by the relay session and the settings. */
export type ShellMethod =
  | "state.get"
  | "relay.connect"
  | "relay.retry"
  | "relay.disconnect"
  | "settings.set"
  | "link.open";

/** Answered by the chat. */
export type ChatMethod = Exclude<Method, ShellMethod>;

export type ChatPartOptions = Readonly<{
  relay: CurrentRelay;
  /** The keychain, or memory: then nothing secret is written down. */
  store: SecretStore;
  /** The app's own folder; it is there, and its user's alone. Conversations are in `conversations` in it. */
  folder: string;
  emit: (event: AppEvent) => void;
  /** To be told when the relay could not be reached: the session then looks after it. */
  relayFailed: () => void;
  clock: SessionClock;
  /** The system's unless told otherwise. */
  timers?: SessionTimers | undefined;
  random: SessionRandom;
  /** A plain line on standard error; never a secret, a prompt or an answer. */
  log: (line: string) => void;
}>;

/**
 * The chat as the rest of the app sees it. A method's answer must be on its way to the window before anything
 * else happens (no timer, no I/O in between): then the events that follow from a call come after its answer.
 */
export interface ChatPart {
  readonly methods: Methods<ChatMethod>;
  /**
   * What the user should know of the conversations kept here, for `AppState.notices`: each was emitted as a
   * `notice`, but perhaps before a window listened.
   */
  notices(): readonly string[];
  /** To be called when another relay was chosen or the device signed out: ends the answers that are coming. */
  relayChanged(): void;
  /** Ends the answers that are coming, and what is being written is on disk after it. */
  stop(): Promise<void>;
}
