import { Attempts, signedOutRetryMs } from "./attempts.ts";
import { SignedOutError } from "./device-errors.ts";
import type { SessionClock } from "./ports.ts";
import { newer, type RenewalOutcome, type RenewalParts, renewToken } from "./renewal.ts";
import { errorOf } from "./renewal-error.ts";
import { approvalPollMs, backoffMs, isGood, refreshAt, refreshWindow } from "./renewal-rules.ts";
import type { SessionEvents } from "./session-events.ts";
import type { HeldToken } from "./stored-token.ts";

export type KeeperParts = Omit<RenewalParts, "onBegin" | "enrollmentCode"> &
  Readonly<{
    clock: SessionClock;
    events: SessionEvents;
    signal: AbortSignal;
    cut: AbortSignal;
    patienceMs: number;
  }>;

/** A token so young is not given up because one request was refused. */
const youngMs = 10_000;

/** Holds the one token that is handed out, and gets another in its place when it is time. */
export class TokenKeeper {
  readonly #parts: KeeperParts;
  readonly #attempts: Attempts;
  #held: HeldToken | undefined;
  #rejected: string | undefined;
  #fraction = 0;
  #renewing: Promise<RenewalOutcome> | undefined;
  #isSignedOut = false;
  enrollmentCode: string | undefined;

  constructor(parts: KeeperParts, enrollmentCode: string | undefined) {
    this.#parts = parts;
    this.#attempts = new Attempts(parts.clock);
    this.enrollmentCode = enrollmentCode;
  }

  /**
   * A token that is good for a while, after a renewal if need be.
   * @throws RelayError, SignedOutError, WaitingForApprovalError
   */
  async obtain(): Promise<HeldToken> {
    const held = await this.current();
    if (held !== undefined && !this.#isInWindow(held)) {
      return held;
    }
    const { time, clock } = this.#parts;
    const { error, isAway, retryAt = 0 } = this.#attempts;
    const good = held !== undefined && isGood(held, time.now()) ? held : undefined;
    if (good !== undefined && isAway && clock.monotonicMs() < retryAt) {
      return good;
    }
    if (error !== undefined) {
      throw error;
    }
    const outcome = good === undefined ? await this.renew() : await this.#renewPatiently();
    if (good !== undefined && (outcome?.kind ?? "away") === "away") {
      const newest = (await this.current()) ?? good;
      // It may have expired meanwhile.
      if (newest.expiresAt > time.now()) {
        return newest;
      }
    }
    return this.#heldAfter(outcome ?? (await this.renew()));
  }

  /** The token to hand out now, however old: the store's where another process renewed it. */
  async current(): Promise<HeldToken | undefined> {
    if (this.#isSignedOut) {
      throw new SignedOutError("This device was signed out here. Enroll it again.", "asked");
    }
    const newest = newer(await this.#parts.vault.token(), this.#held);
    if (newest !== undefined) {
      this.#adopt(newest);
    }
    return newest?.token === this.#rejected ? undefined : newest;
  }

  /** Another token, for all who ask at once; fails only when the session stops. */
  renew(): Promise<RenewalOutcome> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** Takes a token that the relay refused out of service. */
  reject(token: string): void {
    if (this.#held?.token === token && this.#attempts.sinceSuccess > youngMs) {
      this.#rejected = token;
      this.#attempts.forget();
    }
  }

  /** When to act in the background next, by the monotonic clock; infinite when nothing can be done. */
  get dueAt(): number {
    const { time, clock } = this.#parts;
    const { retryAt } = this.#attempts;
    if (retryAt !== undefined) {
      return retryAt;
    }
    if (this.#held === undefined) {
      // Long due, and not "now": by the time that is compared with, now is later.
      return this.#isSignedOut ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    }
    return clock.monotonicMs() + refreshAt(this.#held, this.#fraction) - time.now();
  }

  /** After a sleep or a new clock, what failed before says nothing. */
  forgetFailures(): void {
    if (this.#attempts.isAway) {
      this.#attempts.retryNow();
    }
  }

  /** Lets the device try again with another code. */
  enroll(code: string | undefined): void {
    this.enrollmentCode = code;
    this.#isSignedOut = false;
    this.#attempts.forget();
  }

  signOut(): void {
    this.#isSignedOut = true;
    this.#held = undefined;
    this.#attempts.forget();
  }

  settled(): Promise<unknown> {
    return this.#renewing?.catch(() => undefined) ?? Promise.resolve();
  }

  #isInWindow(held: HeldToken): boolean {
    return held.expiresAt - this.#parts.time.now() < refreshWindow(held);
  }

  #heldAfter(outcome: RenewalOutcome): HeldToken {
    if (outcome.kind === "token") {
      return outcome.held;
    }
    throw errorOf(outcome);
  }

  /** Undefined when the renewal takes longer than whoever has a good token likes to wait. */
  async #renewPatiently(): Promise<RenewalOutcome | undefined> {
    const renewal = this.renew();
    renewal.catch(() => undefined);
    let cancel = (): void => undefined;
    const enough = new Promise<undefined>((resolve) => {
      cancel = this.#parts.timers.after(this.#parts.patienceMs, () => resolve(undefined));
    });
    try {
      return await Promise.race([renewal, enough]);
    } finally {
      cancel();
    }
  }

  async #renewOnce(): Promise<RenewalOutcome> {
    const { signal, cut, events } = this.#parts;
    const before = this.#rejected;
    const outcome = await renewToken(
      {
        ...this.#parts,
        enrollmentCode: () => this.enrollmentCode,
        onBegin: (what) => this.#begin(what),
      },
      {
        held: this.#held,
        isEnough: (found) => found.token !== before && !this.#isInWindow(found),
        signal,
        cut,
      },
    );
    switch (outcome.kind) {
      case "token":
        this.#succeed(outcome.held, outcome.how);
        break;
      case "pending":
        this.#attempts.fail(
          "pending",
          errorOf(outcome),
          approvalPollMs(this.#attempts.inRow("pending")),
        );
        events.waiting(outcome.identity);
        break;
      case "signed_out":
        this.#attempts.fail("signed_out", errorOf(outcome), signedOutRetryMs);
        events.signedOut(outcome.reason, outcome.message);
        break;
      case "away":
        this.#goOffline(outcome);
        break;
    }
    return outcome;
  }

  #begin(what: "refreshing" | "bootstrapping"): void {
    const { events } = this.#parts;
    if (what === "bootstrapping") {
      // The relay does not know the token any more: it is not to be handed out again.
      this.#held = undefined;
      events.bootstrapping();
    } else {
      events.refreshing(this.#held);
    }
  }

  #succeed(held: HeldToken, how: "bootstrapped" | "refreshed" | "found"): void {
    this.#attempts.succeed();
    if (how === "bootstrapped") {
      // A code is good for one device; it is not sent twice.
      this.enrollmentCode = undefined;
    }
    this.#adopt(held);
    this.#parts.events.ready(held);
    if (how !== "found") {
      this.#parts.events.emit({ type: how, expiresAt: held.expiresAt });
    }
  }

  #adopt(held: HeldToken): void {
    if (held.token === this.#held?.token) {
      return;
    }
    this.#held = held;
    this.#fraction = this.#parts.random.fraction();
    // One that has expired is good for a renewal only.
    if (held.token !== this.#rejected && isGood(held, this.#parts.time.now())) {
      this.#parts.events.ready(held);
      this.#parts.events.emit({ type: "token_changed", expiresAt: held.expiresAt });
    }
  }

  #goOffline(outcome: Extract<RenewalOutcome, { kind: "away" }>): void {
    const { clock, time, random, events } = this.#parts;
    const { message, retryAfterSeconds } = outcome.error;
    const failures = this.#attempts.inRow("away") + 1;
    const wait = backoffMs(failures, random.fraction(), retryAfterSeconds);
    this.#attempts.fail("away", outcome.error, wait);
    if (outcome.while === "refresh") {
      events.emit({ type: "refresh_failed", message });
    }
    const held = this.#held;
    const hasToken =
      held !== undefined && held.token !== this.#rejected && isGood(held, time.now());
    events.offline(message, clock.now() + wait, hasToken);
  }
}
