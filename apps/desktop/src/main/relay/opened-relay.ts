/** A relay that the app is connected to, or tries to be: its session, and who keeps that fresh. */
import type { DeviceSession, DeviceSessionEvent } from "@claude-relay/client/device";
import type { Connection } from "../../bridge/connection.ts";
import { bootstrapProxy, openProxySession, type ProxySessionOptions } from "../proxy-bootstrap.ts";
import { ProxyRefreshService } from "../proxy-refresh-service.ts";
import { connectionOf } from "./connection.ts";
import type { RelayAccess } from "./relay-access.ts";
import { isSimulated } from "./relay-upstream.ts";

export interface OpenedRelay {
  readonly access: RelayAccess;
  readonly connection: Connection;
  /** Gets a token and keeps it fresh. Resolves when that was tried once. */
  start(): Promise<void>;
  /** Tries now what would be tried later. Resolves when that was done. */
  retry(): Promise<void>;
  /** The window came to the front: worth a look, unless that was done a moment ago. */
  glance(): void;
  /** A request failed: worth a look. */
  look(): void;
  /** Forgets the sign-in here; the relay is not told. */
  signOut(): Promise<void>;
  stop(): Promise<void>;
}

export type OpenRelayOptions = ProxySessionOptions &
  Readonly<{
    /** Told when `connection` may have changed. */
    onChange: () => void;
  }>;

/** @throws RelayConfigurationError */
export const openRelay = async (options: OpenRelayOptions): Promise<OpenedRelay> => {
  const session = await openProxySession(options);
  const { onChange, onNotice } = options;
  const service = new ProxyRefreshService({ ...options, session });
  let code = options.enrollmentCode;
  let isFollowed = false;
  let simulated = false;
  const learnUpstream = async (): Promise<void> => {
    simulated = (await isSimulated(session.relayUrl)) ?? simulated;
    onChange();
  };
  session.on((event) => {
    if (event.type === "bootstrapped") {
      code = undefined;
    }
    if (event.type === "healthy") {
      void learnUpstream();
    }
    tell(event, onChange, onNotice);
    if (event.type === "bootstrapping" && !isFollowed) {
      // A device that is turned away again as before is no event, and would seem to be connecting for ever.
      isFollowed = true;
      void bootstrapProxy(session).then(() => {
        isFollowed = false;
        onChange();
      });
    }
  });
  return {
    access: accessOf(session),
    get connection() {
      const now = connectionOf(session.relayUrl, session.state, service.outage);
      return now.kind === "ready" && simulated ? { ...now, isSimulated: true } : now;
    },
    start: async () => {
      await bootstrapProxy(session);
      await service.start();
    },
    retry: () => retry(session, service, code),
    glance: () => {
      service.glance().catch(() => undefined);
    },
    look: () => {
      service.look().catch(() => undefined);
    },
    signOut: () => session.signOut(),
    stop: () => service.stop(),
  };
};

const tell = (
  event: DeviceSessionEvent,
  onChange: () => void,
  onNotice: (message: string) => void,
): void => {
  if (event.type === "store_failed") {
    onNotice(event.message);
  } else {
    onChange();
  }
};

/** A device that was turned away, or waits to be let in, asks by itself too seldom for one who is waiting. */
const retry = async (
  session: DeviceSession,
  service: ProxyRefreshService,
  code: string | undefined,
): Promise<void> => {
  const { kind } = session.state;
  if (kind === "signed_out" || kind === "waiting_for_approval") {
    await session.enroll(code).catch(() => undefined);
  } else {
    await service.look();
  }
};

const accessOf = (session: DeviceSession): RelayAccess => ({
  relayUrl: session.relayUrl,
  token: (signal) => session.token({ signal }),
  reject: (token) => {
    session.reject(token);
    // Now, and not only with the next message: the window shows what comes of it.
    session.token().catch(() => undefined);
  },
});
