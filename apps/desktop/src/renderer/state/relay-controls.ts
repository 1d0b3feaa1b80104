import type { Params } from "../../bridge/protocol.ts";
import { type Calls, type Given, wordsOf } from "./calls.ts";

/** What the welcome screen, the status line and the settings do. */
export type RelayControls = Readonly<{
  /** Gives why the attempt could not be made, or null: then the connection tells how it went. */
  connect(address: string, enrollmentCode: string): Promise<string | null>;
  /** Tries now rather than when its time comes. */
  reconnect(): Promise<void>;
  signOut(): Promise<void>;
  showWelcome(shown: boolean): void;
  changeSettings(changes: Params<"settings.set">): Promise<void>;
  openLink(url: string): Promise<void>;
  dismissFault(): void;
  dismissNotice(notice: string): void;
}>;

export const createRelayControls = (
  { bridge, store: { dispatch } }: Given,
  { attempt }: Calls,
): RelayControls => ({
  connect: async (address, code) => {
    const enrollmentCode = code === "" ? {} : { enrollmentCode: code };
    try {
      await bridge.call("relay.connect", { address, ...enrollmentCode });
      return null;
    } catch (error) {
      return wordsOf(error);
    }
  },
  reconnect: async () => {
    await attempt("relay.retry", {});
  },
  signOut: async () => {
    await attempt("relay.disconnect", {});
  },
  showWelcome: (shown) => dispatch({ type: "welcome_shown", shown }),
  changeSettings: async (changes) => {
    const changed = await attempt("settings.set", changes);
    if (changed !== undefined) {
      dispatch({ type: "settings_changed", settings: changed.result });
    }
  },
  openLink: async (url) => {
    await attempt("link.open", { url });
  },
  dismissFault: () => dispatch({ type: "fault_dismissed" }),
  dismissNotice: (notice) => dispatch({ type: "notice_dismissed", notice }),
});
