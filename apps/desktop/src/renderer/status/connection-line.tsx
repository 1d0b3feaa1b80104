import type { VNode } from "preact";
import type { Connection } from "../../bridge/connection.ts";
import { Icon } from "../shell/icon.tsx";

type Props = Readonly<{ connection: Connection; onSettings: () => void }>;

/** How the app stands with its relay, in a few words, and the way to the settings. */
export const ConnectionLine = ({ connection, onSettings }: Props): VNode => {
  const { mood, words, more = words } = standing(connection);
  return (
    <div class="connection-line" data-testid="connection" data-connection={connection.kind}>
      <span class={`dot ${mood}`} aria-hidden="true" />
      <span class="connection-words" title={more}>
        {words}
      </span>
      <button
        type="button"
        class="quiet small"
        aria-label="Settings"
        title="Settings"
        data-testid="show-settings"
        onClick={onSettings}
      >
        <Icon name="gear" />
      </button>
    </div>
  );
};

type Standing = Readonly<{ mood: "good" | "busy" | "bad"; words: string; more?: string }>;

const standing = (connection: Connection): Standing => {
  switch (connection.kind) {
    case "ready":
      return { mood: "good", words: hostOf(connection.relayUrl) };
    case "refreshing":
      return { mood: "busy", words: hostOf(connection.relayUrl), more: "Renewing the sign-in" };
    case "connecting":
      return { mood: "busy", words: "Connecting…" };
    case "offline":
      return { mood: "bad", words: "Offline" };
    case "waiting_for_approval":
      return { mood: "busy", words: "Waiting for approval" };
    case "unconfigured":
    case "signed_out":
      return { mood: "bad", words: "Signed out" };
    case "update_needed":
      return { mood: "bad", words: "Update needed" };
  }
};

/** The relay's name without its scheme. */
export const hostOf = (relayUrl: string): string =>
  relayUrl.replace(/^https?:\/\//, "").replace(/\/$/, "");
