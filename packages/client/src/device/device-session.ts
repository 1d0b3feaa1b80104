import { WaitingForApprovalError } from "./device-errors.ts";
import type { DeviceSessionListener, DeviceSessionState, DeviceToken } from "./device-events.ts";
import type { SessionClock, SessionLock, SessionTimers } from "./ports.ts";
import { startPulse, type TimeJump } from "./pulse.ts";
import type { RelayCalls } from "./relay-calls.ts";
import type { RelayTime } from "./relay-time.ts";
import { approvalPollMs, backoffMs } from "./renewal-rules.ts";
import { SessionEnd } from "./session-end.ts";
import type { SessionEvents } from "./session-events.ts";
import type { DeviceSessionOptions, TokenOptions } from "./session-options.ts";
import { sessionParts } from "./session-parts.ts";
import { TokenKeeper } from "./token-keeper.ts";
import type { Vault } from "./vault.ts";
import { waitFor, waitInTime } from "./waiting.ts";

/** Health and the token's age are looked at so often, whatever happens. */
const checkEveryMs = 30 * 60_000;

/**
 * This device's sign-in at a relay: enrolls at first use, keeps a wrapper token fresh, and hands it out.
 * It never goes around the relay: when there is no token, whoever asks is told why.
 */
export class DeviceSession {
  readonly relayUrl: string;
  readonly #clock: SessionClock;
  readonly #timers: SessionTimers;
  readonly #random: () => number;
  readonly #time: RelayTime;
  readonly #events: SessionEvents;
  readonly #calls: RelayCalls;
  readonly #vault: Vault;
  readonly #lock: SessionLock;
  readonly #keeper: TokenKeeper;
  readonly #end = new SessionEnd();
  #endPulse: (() => void) | undefined;
  #nextCheckAt = 0;
  #checking: Promise<void> | undefined;

  /** @throws RelayConfigurationError with the remedy */
  constructor(options: DeviceSessionOptions) {
    const parts = sessionParts(options, this.#end);
    this.relayUrl = parts.relayUrl;
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#random = () => parts.random.fraction();
    this.#lock = parts.lock;
    this.#time = parts.time;
    this.#events = parts.events;
    this.#calls = parts.calls;
    this.#vault = parts.vault;
    this.#keeper = new TokenKeeper(parts, options.enrollmentCode);
  }

  get state(): DeviceSessionState {
    return this.#events.state;
  }

  /** Has a listener told of everything from now on. Gives what ends that. */
  on(listener: DeviceSessionListener): () => void {
    return this.#events.on(listener);
  }

  /**
   * Gets a token and keeps it fresh in the background. Resolves when that was tried once, whatever came of
   * it: `state` says. At most a few request timeouts later, also when the relay hangs.
   */
  async start(): Promise<void> {
    this.#demandRunning();
    if (this.#endPulse !== undefined) {
      return;
    }
    this.#endPulse = () => undefined;
    await this.#keeper.obtain().catch(() => undefined);
    if (!this.#end.signal.aborted && this.state.kind !== "offline") {
      await this.#checkHealth();
    }
    if (this.#end.signal.aborted) {
      return;
    }
    this.#events.log("Starting proxy token refresh service");
    this.#nextCheckAt = this.#clock.monotonicMs() + checkEveryMs;
    this.#endPulse = startPulse({
      clock: this.#clock,
      timers: this.#timers,
      next: () => Math.min(this.#nextCheckAt, this.#keeper.dueAt),
      onPulse: (jump) => this.#pulse(jump),
    });
  }

  /**
   * A good token, renewed first when need be. Without a request when the stored one is fresh enough.
   * Works without `start()` too.
   * @throws WaitingForApprovalError, SignedOutError, any other RelayError when the relay is away
   */
  async token(options: TokenOptions = {}): Promise<string> {
    return (await this.credential(options)).token;
  }

  /** The same, with its expiry and the address that the relay wants to be asked at. */
  async credential(options: TokenOptions = {}): Promise<DeviceToken> {
    this.#demandRunning();
    options.signal?.throwIfAborted();
    await this.#learnTime();
    const { token, expiresAt, proxyBaseUrl } = await waitInTime(
      this.#timers,
      this.#keeper.obtain(),
      options,
    );
    return { token, expiresAt, proxyBaseUrl };
  }

  /**
   * Waits for a token as long as it takes: for an approval, for a relay that is away.
   * @throws SignedOutError, or the signal's reason
   */
  async ready({ signal }: Pick<TokenOptions, "signal"> = {}): Promise<DeviceToken> {
    for (let asked = 0; ; asked += 1) {
      try {
        return await this.credential({ signal });
      } catch (error) {
        const isWorthWaiting =
          error instanceof WaitingForApprovalError || this.state.kind === "offline";
        if (!isWorthWaiting || signal?.aborted || this.#end.signal.aborted) {
          throw error;
        }
        const wait =
          error instanceof WaitingForApprovalError
            ? approvalPollMs(asked)
            : backoffMs(asked + 1, this.#random());
        await waitInTime(this.#timers, waitFor(this.#timers, wait, this.#end.signal), {
          signal,
        });
      }
    }
  }

  /** To be told when the relay answered 401 to this token: it is not handed out again. */
  reject(token: string): void {
    this.#keeper.reject(token);
  }

  /** Tries again with an enrollment code, after `signed_out`. @throws as `credential` */
  async enroll(enrollmentCode?: string): Promise<DeviceToken> {
    this.#keeper.enroll(enrollmentCode);
    return this.credential();
  }

  /**
   * Looks at the relay's health and at the token now, as after a sleep, and renews it when that is due.
   * Resolves when that was done, whatever came of it: `state` and the events say.
   */
  async check(): Promise<void> {
    this.#demandRunning();
    await this.#checkOnce(true);
  }

  /** How this device is called, and its key's fingerprint to compare. Made if there is none yet. */
  async identity(): Promise<Readonly<{ deviceId: string; fingerprint: string }>> {
    const known = await this.#vault.identity();
    const { deviceId, fingerprint } =
      known ??
      (await this.#lock.hold(
        async () => (await this.#vault.identity()) ?? this.#vault.makeIdentity(),
        this.#end.signal,
      ));
    return { deviceId, fingerprint };
  }

  /** Forgets id, key and token of this relay here. The relay is not told: an admin can revoke the device. */
  async signOut(): Promise<void> {
    await this.#keeper.settled();
    await this.#lock.hold(() => this.#vault.forget(), this.#end.signal);
    this.#keeper.signOut();
    this.#events.signedOut("asked", "This device was signed out here.");
  }

  /**
   * Ends the background. A request for a token that is under way is waited for, for three seconds: the relay may
   * have replaced the token already, or taken the code. The stored token stays.
   */
  async stop(): Promise<void> {
    this.#endPulse?.();
    await this.#end.come(this.#timers, async () => {
      await this.#keeper.settled();
      await this.#checking;
    });
    this.#events.state = { kind: "stopped" };
  }

  #demandRunning(): void {
    this.#end.signal.throwIfAborted();
  }

  #pulse(jump: TimeJump | null): void {
    if (jump?.kind === "back") {
      this.#time.clockWasSet(-jump.milliseconds);
    }
    const now = this.#clock.monotonicMs();
    if (jump !== null || now >= this.#nextCheckAt || now >= this.#keeper.dueAt) {
      void this.#checkOnce(jump !== null || now >= this.#nextCheckAt);
    }
  }

  #checkOnce(thorough: boolean): Promise<void> {
    this.#checking ??= this.#check(thorough)
      .catch(() => undefined)
      .finally(() => {
        this.#checking = undefined;
      });
    return this.#checking;
  }

  async #check(thorough: boolean): Promise<void> {
    if (thorough) {
      this.#nextCheckAt = this.#clock.monotonicMs() + checkEveryMs;
      this.#keeper.forgetFailures();
      await this.#checkHealth();
    }
    // Another process may have renewed it already.
    await this.#keeper.current();
    if (this.#clock.monotonicMs() >= this.#keeper.dueAt) {
      await this.#keeper.renew();
    }
  }

  /** Also tells the relay's time. */
  async #checkHealth(): Promise<void> {
    const health = await this.#calls.health(this.#end.signal).catch(() => undefined);
    if (health?.kind === "healthy") {
      this.#time.learn(health.serverTime);
    }
    if (health !== undefined) {
      this.#events.health(health.kind === "healthy" ? null : health.message);
    }
  }

  /** A clock that was far off when the token came may be so still: the token's age cannot be told by it. */
  async #learnTime(): Promise<void> {
    if (!this.#time.isKnown) {
      const stored = await this.#vault.token();
      if (Math.abs(stored?.clockOffset ?? 0) > 60_000) {
        await this.#checkHealth();
      }
    }
  }
}
