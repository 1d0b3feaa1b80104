import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { AppState, ModelChoice, Settings } from "../../bridge/protocol.ts";
import { useController } from "../state/hooks.ts";
import { momentWords } from "../status/time-words.ts";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icon.tsx";

type Props = Readonly<{
  app: AppState;
  models: readonly ModelChoice[] | null;
  onClose: () => void;
  onShortcuts: () => void;
}>;

const themes: readonly Readonly<{ id: Settings["theme"]; name: string }>[] = [
  { id: "system", name: "As the system" },
  { id: "light", name: "Light" },
  { id: "dark", name: "Dark" },
];

export const SettingsDialog = ({ app, models, onClose, onShortcuts }: Props): VNode => (
  <Dialog title="Settings" testId="settings" onClose={onClose}>
    <ThemeChoice theme={app.settings.theme} />
    <DefaultModel settings={app.settings} models={models ?? []} />
    <Relay app={app} onClose={onClose} />
    <footer class="settings-foot">
      <button type="button" class="quiet" onClick={onShortcuts}>
        <Icon name="keyboard" />
        Keyboard shortcuts
      </button>
      <span>Version {app.appVersion}</span>
    </footer>
  </Dialog>
);

const ThemeChoice = ({ theme }: Readonly<{ theme: Settings["theme"] }>) => {
  const { changeSettings } = useController();
  return (
    <fieldset class="theme-choice">
      <legend>Appearance</legend>
      <div class="segments">
        {themes.map(({ id, name }) => (
          <label key={id}>
            <input
              type="radio"
              name="theme"
              value={id}
              checked={theme === id}
              data-testid={`theme-${id}`}
              onChange={() => void changeSettings({ theme: id })}
            />
            <span>{name}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
};

type ModelProps = Readonly<{ settings: Settings; models: readonly ModelChoice[] }>;

const DefaultModel = ({ settings, models }: ModelProps) => {
  const { changeSettings } = useController();
  const chosen = settings.defaultModel;
  return (
    <label class="field">
      <span>Model for new conversations</span>
      <span class="select">
        <select
          value={chosen ?? ""}
          data-testid="default-model"
          disabled={models.length === 0}
          onChange={(event) => void changeSettings({ defaultModel: event.currentTarget.value })}
        >
          {chosen === null && <option value="">{firstWords(models)}</option>}
          {chosen !== null && !models.some(({ id }) => id === chosen) && (
            <option value={chosen}>{chosen}</option>
          )}
          {models.map(({ id, displayName }) => (
            <option key={id} value={id}>
              {displayName}
            </option>
          ))}
        </select>
        <Icon name="chevron" />
      </span>
    </label>
  );
};

const firstWords = ([first]: readonly ModelChoice[]): string =>
  first === undefined
    ? "The first in the relay’s list"
    : `${first.displayName} (first in the relay’s list)`;

const Relay = ({ app, onClose }: Readonly<{ app: AppState; onClose: () => void }>) => {
  const { signOut } = useController();
  const [isSure, setSure] = useState(false);
  const { connection } = app;
  if (connection.kind === "unconfigured") {
    return null;
  }
  return (
    <section class="field">
      <span>Relay</span>
      <p class="relay-url">{connection.relayUrl}</p>
      {connection.kind === "ready" && (
        <p class="hint">
          Signed in until {momentWords(connection.expiresAt, Date.now())}; renewed before that by
          itself.
        </p>
      )}
      {app.fixedAddress !== null && (
        <p class="hint">The address is set by this computer’s environment.</p>
      )}
      {isSure ? (
        <p class="actions">
          <button
            type="button"
            class="danger"
            data-testid="confirm-sign-out"
            onClick={() => {
              void signOut();
              onClose();
            }}
          >
            Sign out
          </button>
          <button type="button" onClick={() => setSure(false)}>
            Stay
          </button>
          <span class="hint">Conversations stay on this computer.</span>
        </p>
      ) : (
        <p class="actions">
          <button type="button" data-testid="sign-out" onClick={() => setSure(true)}>
            Sign out…
          </button>
        </p>
      )}
    </section>
  );
};
