/** The relay that this app uses: chosen, connected, let go. One change at a time. */
import {
  type RelayAddress,
  RelayConfigurationError,
  relayAddressFrom,
} from "@claude-relay/client/device";
import { CallError } from "../../bridge/call-error.ts";
import type { Connection } from "../../bridge/connection.ts";
import type { SettingsFile } from "../settings-file.ts";
import { isUsedByCommandLine } from "./command-line-relays.ts";
import { type OpenedRelay, type OpenRelayOptions, openRelay } from "./opened-relay.ts";
import type { CurrentRelay } from "./relay-access.ts";
import { demandRelay } from "./relay-check.ts";
import { type RelayChoice, relayChoiceOf } from "./relay-choice.ts";

export type RelayLinkParts = Omit<
  OpenRelayOptions,
  "address" | "enrollmentCode" | "store" | "onChange"
> &
  Readonly<{
    /** Opening the keychain may take as long as its user takes for a password. */
    store: Promise<OpenRelayOptions["store"]>;
    settings: SettingsFile;
    /** The environment's choice; the user has none then. */
    fixed: RelayAddress | null;
    /** Told of every connection that differs from the one before. */
    onConnection: (connection: Connection) => void;
    /** Another relay was chosen, or none. */
    onOtherRelay: () => void;
  }>;

export class RelayLink {
  readonly #parts: RelayLinkParts;
  readonly #stopping = new AbortController();
  #address: RelayAddress | null = null;
  #relay: OpenedRelay | null = null;
  #shown: Connection = { kind: "unconfigured" };
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: RelayLinkParts) {
    this.#parts = parts;
    this.#address = parts.fixed ?? this.#remembered();
    this.#shown = this.connection;
  }

  get connection(): Connection {
    if (this.#address === null) {
      return { kind: "unconfigured" };
    }
    const { relayUrl } = this.#address;
    return this.#relay?.connection ?? { kind: "connecting", relayUrl };
  }

  /** The same; whoever heard the events before this knows no other. */
  told(): Connection {
    this.#publish();
    return this.connection;
  }

  /** For whoever sends requests to the relay. */
  readonly current: CurrentRelay = () => this.#relay?.access ?? null;

  /** Connects to the relay that is known already, if one is. Resolves when that was tried once. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#address !== null) {
        await this.#open({ address: this.#address, code: undefined });
      }
    });
  }

  /**
   * Connects to the relay that the user entered. Resolves when that was tried: `connection` says what came of it.
   * @throws CallError when the address is none, or no relay answers there; then all stays as it was
   */
  connect(entered: string, enteredCode: string | undefined): Promise<void> {
    const choice = this.#allowed(relayChoiceOf(entered, enteredCode));
    return this.#inTurn(async () => {
      await demandRelay(choice.address, this.#stopping.signal);
      const isOther = choice.address.relayUrl !== this.#address?.relayUrl;
      this.#remember(choice.address.relayUrl);
      await this.#close();
      this.#address = choice.address;
      if (isOther) {
        this.#parts.onOtherRelay();
      }
      await this.#open(choice);
    });
  }

  /** Tries now instead of later. @throws CallError `not_connected` when no relay is chosen */
  retry(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#relay === null) {
        throw new CallError({ code: "not_connected", message: "No relay is chosen yet." });
      }
      await this.#relay.retry();
      this.#publish();
    });
  }

  /** Forgets the address and this device's sign-in. */
  disconnect(): Promise<void> {
    return this.#inTurn(async () => {
      this.#remember(null);
      const relay = this.#relay;
      const relayUrl = this.#address?.relayUrl ?? "";
      const isRefused = relay?.connection.kind === "signed_out";
      this.#relay = null;
      this.#address = null;
      this.#publish();
      this.#parts.onOtherRelay();
      // One that the relay refuses is of no use to the command line either.
      if (isRefused || !isUsedByCommandLine(this.#parts.configFolder, relayUrl)) {
        await relay?.signOut();
      }
      await relay?.stop();
    });
  }

  /** The window came to the front, or the machine woke. */
  woke(): void {
    this.#relay?.glance();
  }

  /** A request could not reach the relay. */
  failed(): void {
    this.#relay?.look();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new CallError({ code: "failed", message: "The app is being closed." }));
    await this.#relay?.stop();
    await this.#last;
  }

  async #open({ address, code }: RelayChoice): Promise<void> {
    this.#publish();
    const store = await this.#parts.store;
    this.#stopping.signal.throwIfAborted();
    const relay = await openRelay({
      ...this.#parts,
      store,
      address,
      enrollmentCode: code,
      onChange: () => this.#publish(),
    });
    this.#relay = relay;
    await relay.start();
    this.#publish();
  }

  async #close(): Promise<void> {
    const relay = this.#relay;
    this.#relay = null;
    await relay?.stop();
  }

  #publish(): void {
    const { connection } = this;
    if (!this.#stopping.signal.aborted && !isSame(connection, this.#shown)) {
      this.#shown = connection;
      this.#parts.onConnection(connection);
    }
  }

  #allowed(choice: RelayChoice): RelayChoice {
    const { fixed } = this.#parts;
    if (fixed === null) {
      return choice;
    }
    if (choice.address.relayUrl !== fixed.relayUrl) {
      throw new CallError({
        code: "invalid_params",
        message: `PROXY_BOOTSTRAP_URL or CLAUDE_RELAY_URL fixes the relay's address: ${fixed.relayUrl}.`,
      });
    }
    return { ...choice, address: fixed };
  }

  #remember(relayUrl: string | null): void {
    if (this.#parts.fixed === null) {
      this.#parts.settings.change({ relayUrl });
    }
  }

  #remembered(): RelayAddress | null {
    const { settings, onNotice } = this.#parts;
    if (settings.relayUrl === null) {
      return null;
    }
    try {
      return relayAddressFrom({ relayUrl: settings.relayUrl, environment: {} });
    } catch (error) {
      if (!(error instanceof RelayConfigurationError)) {
        throw error;
      }
      onNotice(
        `The relay's address in the settings cannot be used: ${error.message.replace(/^relayUrl\b/, "it")}`,
      );
      return null;
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(() => {
      this.#stopping.signal.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

const isSame = (one: Connection, other: Connection): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
