/** What the window needs to know when it opens. */
import type { RelayAddress } from "@claude-relay/client/device";
import type { AppState } from "../bridge/protocol.ts";
import type { Notices } from "./notices.ts";
import type { RelayLink } from "./relay/relay-link.ts";
import type { SettingsFile } from "./settings-file.ts";

type Parts = Readonly<{
  appVersion: string;
  deviceName: string;
  link: Pick<RelayLink, "told">;
  settings: Pick<SettingsFile, "settings">;
  fixed: RelayAddress | null;
  notices: Notices;
  /** What the chat has to say; nothing before it is there. */
  chatNotices: () => readonly string[];
}>;

/** Gives the state as it is at the time of asking. */
export const appStateFrom =
  ({
    appVersion,
    deviceName,
    link,
    settings,
    fixed,
    notices,
    chatNotices,
  }: Parts): (() => AppState) =>
  () => {
    notices.wereRead();
    return {
      appVersion,
      deviceName,
      connection: link.told(),
      settings: settings.settings,
      notices: [...new Set([...notices.all, ...chatNotices()])],
      fixedAddress: fixed?.relayUrl ?? null,
    };
  };
