import type {
  DeviceSessionEvent,
  DeviceSessionListener,
  DeviceSessionState,
  DeviceToken,
  SignedOutReason,
} from "./device-events.ts";

/** Where a session is, and who is told when that changes. */
export class SessionEvents {
  readonly #listeners = new Set<DeviceSessionListener>();
  readonly #log: (line: string) => void;
  state: DeviceSessionState = { kind: "idle" };
  #isHealthy: boolean | undefined;
  /** Why the device was signed out, as listeners know it. */
  #told: string | undefined;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  on(listener: DeviceSessionListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: DeviceSessionEvent): void {
    const line = lineOf(event);
    if (line !== undefined) {
      this.log(line);
    }
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch {
        // A listener's fault is its own: the token must go on being renewed.
      }
    }
  }

  log(line: string): void {
    try {
      this.#log(line);
    } catch {
      // As above.
    }
  }

  /** Tells of a change of health only. `problem`: null when the relay is well. */
  health(problem: string | null): void {
    const isHealthy = problem === null;
    if (this.#isHealthy === isHealthy) {
      return;
    }
    this.#isHealthy = isHealthy;
    this.emit(problem === null ? { type: "healthy" } : { type: "unhealthy", message: problem });
  }

  bootstrapping(): void {
    // Each question whether an admin has approved is one more, and no news.
    if (this.state.kind !== "waiting_for_approval") {
      this.#enter({ kind: "bootstrapping" }, { type: "bootstrapping" });
    }
  }

  refreshing(held: DeviceToken | undefined): void {
    if (held !== undefined) {
      const { expiresAt, proxyBaseUrl } = held;
      this.#enter({ kind: "refreshing", expiresAt, proxyBaseUrl }, { type: "refreshing" });
    }
  }

  ready({ expiresAt, proxyBaseUrl }: DeviceToken): void {
    this.#told = undefined;
    this.state = { kind: "ready", expiresAt, proxyBaseUrl };
  }

  waiting({ deviceId, fingerprint }: Readonly<{ deviceId: string; fingerprint: string }>): void {
    if (this.state.kind !== "waiting_for_approval") {
      const where = { deviceId, fingerprint };
      this.#enter(
        { kind: "waiting_for_approval", ...where },
        { type: "waiting_for_approval", ...where },
      );
    }
  }

  signedOut(reason: SignedOutReason, message: string): void {
    this.state = { kind: "signed_out", reason, message };
    if (this.#told !== message) {
      this.#told = message;
      this.emit({ type: "signed_out", reason, message });
    }
  }

  offline(message: string, retryAt: number, hasToken: boolean): void {
    this.#enter(
      { kind: "offline", message, retryAt, hasToken },
      { type: "offline", message, retryAt },
    );
  }

  #enter(state: DeviceSessionState, event: DeviceSessionEvent): void {
    this.state = state;
    this.emit(event);
  }
}

/** The lines people look for in a log; none holds a token. */
const lineOf = (event: DeviceSessionEvent): string | undefined => {
  switch (event.type) {
    case "bootstrapping":
      return "Bootstrapping proxy configuration...";
    case "bootstrapped":
      return "Proxy token bootstrapped successfully";
    case "healthy":
      return "Proxy is healthy and ready";
    case "unhealthy":
      return `Proxy is not healthy: ${event.message}`;
    case "waiting_for_approval":
      return `Proxy waits for an admin's approval of device ${event.deviceId}, key ${event.fingerprint}`;
    case "refreshed":
      return "Proxy token refreshed successfully";
    case "refresh_failed":
      return `Failed to refresh proxy token: ${event.message}`;
    case "offline":
      return `Failed to reach proxy: ${event.message}`;
    case "signed_out":
      return `Failed to bootstrap proxy: ${event.message}`;
    case "store_failed":
      return event.message;
    case "refreshing":
    case "token_changed":
      return undefined;
  }
};
