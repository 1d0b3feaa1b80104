import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Connection } from "../../bridge/connection.ts";
import { CopyButton } from "../shell/copy-button.tsx";
import { useController } from "../state/hooks.ts";

type Props = Readonly<{
  connection: Extract<Connection, { kind: "waiting_for_approval" }>;
  deviceName: string;
}>;

/** What the operator must see too: this device's name and the fingerprint of its key. */
export const WaitingForApproval = ({ connection, deviceName }: Props): VNode => {
  const { deviceId, fingerprint, relayUrl } = connection;
  const { reconnect, signOut } = useController();
  const [isAsked, setAsked] = useState(false);
  const check = async () => {
    setAsked(true);
    await reconnect();
    setAsked(false);
  };
  return (
    <div class="waiting" data-testid="waiting">
      <p class="lead">
        The operator of <strong>{relayUrl}</strong> must let this device in. Tell them this
        fingerprint: it must be the one that they see. This page goes on by itself once you are
        approved.
      </p>
      <div
        class="fingerprint"
        role="img"
        aria-label={`Fingerprint: ${[...fingerprint].join(" ")}`}
        data-testid="fingerprint"
      >
        {fingerprintGroups(fingerprint).map((group, at) => (
          <span key={at}>{group}</span>
        ))}
      </div>
      <dl class="device">
        <dt>Device</dt>
        <dd data-testid="device-name">{deviceName}</dd>
        <dt>Its id</dt>
        <dd data-testid="device-id">{deviceId}</dd>
      </dl>
      <p class="actions center">
        <CopyButton
          text={`Device ${deviceName} (${deviceId}), fingerprint ${fingerprint}`}
          what="device and fingerprint"
        />
      </p>
      <p class="still" role="status">
        <span class="spinner" aria-hidden="true" /> Asking the relay every few seconds…
      </p>
      <p class="actions center">
        <button
          type="button"
          disabled={isAsked}
          data-testid="retry-now"
          onClick={() => void check()}
        >
          Ask now
        </button>
        <button
          type="button"
          class="quiet"
          data-testid="other-relay"
          onClick={() => void signOut()}
        >
          Use another relay
        </button>
      </p>
    </div>
  );
};

/** In groups as the relay writes them, else of four: what two people compare must be easy to read aloud. */
export const fingerprintGroups = (fingerprint: string): readonly string[] => {
  const groups = fingerprint.split(/[-:\s]+/).filter(Boolean);
  return groups.length > 1 ? groups : (fingerprint.match(/.{1,4}/g) ?? []);
};
