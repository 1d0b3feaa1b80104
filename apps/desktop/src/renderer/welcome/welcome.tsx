import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import type { Connection } from "../../bridge/connection.ts";
import type { AppState } from "../../bridge/protocol.ts";
import { Icon } from "../shell/icon.tsx";
import { useController, useNow } from "../state/hooks.ts";
import { waitWords } from "../status/time-words.ts";
import { ConnectForm } from "./connect-form.tsx";
import { WaitingForApproval } from "./waiting-for-approval.tsx";

type Props = Readonly<{
  app: AppState;
  /** There is something to go back to. */
  hasConversations: boolean;
}>;

/** The first screen: to which relay, with which code; and how that goes. */
export const Welcome = ({ app, hasConversations }: Props): VNode => {
  const { showWelcome, dismissNotice } = useController();
  const { connection } = app;
  return (
    <main class="welcome" data-testid="welcome" data-connection={connection.kind}>
      <div class="card">
        <Mark />
        <h1>{titleOf(connection)}</h1>
        <Body app={app} />
        {app.notices.map((notice) => (
          <div key={notice} class="banner notice" data-testid="banner-notice">
            <Icon name="info" />
            <p>{notice}</p>
            <button
              type="button"
              class="quiet small"
              aria-label="Dismiss"
              onClick={() => dismissNotice(notice)}
            >
              <Icon name="close" />
            </button>
          </div>
        ))}
        {hasConversations && (
          <button
            type="button"
            class="quiet back"
            data-testid="back-to-conversations"
            onClick={() => showWelcome(false)}
          >
            Back to my conversations
          </button>
        )}
      </div>
    </main>
  );
};

const titleOf = (connection: Connection): string => {
  switch (connection.kind) {
    case "waiting_for_approval":
      return "Waiting for approval";
    case "update_needed":
      return "This app needs an update";
    case "signed_out":
      return connection.wantsCode
        ? "An enrollment code is needed"
        : "The relay turned this device away";
    default:
      return "Chat with Claude through your relay";
  }
};

const Body = ({ app }: Readonly<{ app: AppState }>): VNode => {
  const { connection } = app;
  switch (connection.kind) {
    case "waiting_for_approval":
      return <WaitingForApproval connection={connection} deviceName={app.deviceName} />;
    case "update_needed":
      return <UpdateNeeded message={connection.message} version={app.appVersion} />;
    case "signed_out":
      return (
        <>
          <SignedOut {...connection} />
          <ConnectForm app={app} isConnecting={false} />
          {!connection.wantsCode && <SignOut />}
        </>
      );
    case "offline":
      return (
        <>
          <Unreachable {...connection} />
          <ConnectForm app={app} isConnecting={false} />
        </>
      );
    default:
      return (
        <>
          <p class="lead">
            Your organization’s relay holds the key to Claude; this app needs only the relay’s
            address. The operator of the relay can give it to you, often as a link.
          </p>
          <ConnectForm app={app} isConnecting={connection.kind === "connecting"} />
        </>
      );
  }
};

export const Outcome = ({ children }: Readonly<{ children: ComponentChildren }>): VNode => (
  <div class="outcome" role="alert">
    <Icon name="warning" />
    <div>{children}</div>
  </div>
);

/** Red is for what went wrong: that a code is needed is an ordinary first step. */
const SignedOut = ({
  message,
  wantsCode,
  hasWrongCode = false,
}: Extract<Connection, { kind: "signed_out" }>) =>
  wantsCode && !hasWrongCode ? (
    <p class="lead" role="status" data-testid="refusal">
      Ask the relay’s operator for an enrollment code or a link, and enter it here.
    </p>
  ) : (
    <Outcome>
      <p data-testid="refusal">{message}</p>
      {!wantsCode && <p>Ask the relay’s operator to let this device in, then try again.</p>}
    </Outcome>
  );

const SignOut = () => {
  const { signOut } = useController();
  return (
    <button type="button" class="quiet wide" data-testid="sign-out" onClick={() => void signOut()}>
      Sign out
    </button>
  );
};

const Unreachable = ({ message, retryAt }: Extract<Connection, { kind: "offline" }>) => {
  const { reconnect } = useController();
  const now = useNow(retryAt);
  return (
    <div class="outcome" data-testid="unreachable">
      <Icon name="warning" />
      <div>
        <p role="alert">{message}</p>
        <p class="countdown">
          {retryAt <= now ? "Trying again…" : `Trying again in ${waitWords(retryAt - now)}.`}
        </p>
        <p class="actions">
          <button type="button" data-testid="retry-now" onClick={() => void reconnect()}>
            Retry now
          </button>
        </p>
      </div>
    </div>
  );
};

const UpdateNeeded = ({ message, version }: Readonly<{ message: string; version: string }>) => {
  const { reconnect } = useController();
  const [isAsked, setAsked] = useState(false);
  return (
    <>
      <Outcome>
        <p data-testid="refusal">{message}</p>
        <p>This is version {version}. Install the newer one, then open it again.</p>
      </Outcome>
      <button
        type="button"
        class="wide"
        disabled={isAsked}
        onClick={() => {
          setAsked(true);
          void reconnect().finally(() => setAsked(false));
        }}
      >
        Check again
      </button>
    </>
  );
};

/** The app's mark: a message on its way through. */
const Mark = () => (
  <svg class="mark" viewBox="0 0 48 48" width="48" height="48" aria-hidden="true" focusable="false">
    <rect x="2" y="2" width="44" height="44" rx="13" />
    <path d="M12 24h9M27 24h9M21 24a3 3 0 1 0 6 0 3 3 0 1 0-6 0M30.5 18.5L36 24l-5.5 5.5" />
  </svg>
);
