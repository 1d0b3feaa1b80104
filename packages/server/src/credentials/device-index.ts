import type { DeviceId, EpochMs, OrganizationId, UserId } from "@claude-relay/contract";
import type { DeviceRecord, DeviceStore, SupersededToken } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock, DeviceCaller } from "../pipeline/types.ts";
import type { WrapperClaims } from "./wrapper-token.ts";

/** A user's organization: of a device or key that says none of its own. */
export type OrganizationOf = (userId: UserId | null) => OrganizationId | null;

/** So often replaced tokens are forgotten that have expired. */
const pruneEveryMs = 3_600_000;

type Entry = Readonly<{ record: DeviceRecord; caller: DeviceCaller }>;

/**
 * Every device and every replaced token in memory, so that no request waits for the database.
 * Changes go to the store first and count here at once after: a revocation is immediate.
 */
export class DeviceIndex {
  readonly #store: DeviceStore;
  readonly #clock: Clock;
  readonly #organizationOf: OrganizationOf;
  readonly #renewableMs: number;
  #prunedAt: EpochMs;
  readonly #devices = new Map<string, Entry>();
  readonly #superseded = new Map<string, SupersededToken>();
  readonly #turns = new Map<string, Promise<void>>();

  private constructor(
    store: DeviceStore,
    clock: Clock,
    organizationOf: OrganizationOf,
    renewableMs: number,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#organizationOf = organizationOf;
    this.#renewableMs = renewableMs;
    this.#prunedAt = clock.now();
  }

  /** @param renewableMs so long after its expiry a token may still be renewed, and is known for a replaced one */
  static async load(
    store: DeviceStore,
    clock: Clock,
    organizationOf: OrganizationOf,
    renewableMs = 0,
  ): Promise<DeviceIndex> {
    const index = new DeviceIndex(store, clock, organizationOf, renewableMs);
    await store.pruneSuperseded(index.#forgottenUntil);
    await index.reload();
    return index;
  }

  /** Takes everything from the store anew: another process may have changed it. */
  async reload(): Promise<void> {
    for (const record of await this.#store.loadAll()) {
      this.keep(record);
    }
    await this.#reloadSuperseded();
  }

  /** The same for one device and its replaced tokens. */
  async refresh(id: DeviceId): Promise<void> {
    const record = await this.#store.get(id);
    if (record !== null) {
      this.keep(record);
    }
    await this.#reloadSuperseded(id);
  }

  async #reloadSuperseded(id?: DeviceId): Promise<void> {
    for (const token of await this.#store.loadSuperseded(this.#forgottenUntil, id)) {
      this.#superseded.set(token.jti, token);
    }
  }

  /** Whether nothing of this caller was changed since `callerFor` gave it. */
  isUnchanged(caller: DeviceCaller): boolean {
    return this.#devices.get(caller.id)?.caller === caller;
  }

  get(id: DeviceId): DeviceRecord | null {
    return this.#devices.get(id)?.record ?? null;
  }

  /** Takes note of a row as the store gave it. */
  keep(record: DeviceRecord): DeviceRecord {
    this.#devices.set(record.id, { record, caller: callerOf(record, this.#organizationOf) });
    return record;
  }

  /** To be called when `organizationOf` may answer otherwise than before. */
  refreshCallers(): void {
    for (const { record } of this.#devices.values()) {
      this.keep(record);
    }
  }

  /**
   * Runs `work` when all earlier work on the same device is over: nothing changes its row between
   * reading it and writing it back, so that no enrollment undoes a revocation.
   */
  alone<Result>(id: DeviceId, work: () => Promise<Result>): Promise<Result> {
    const result = (this.#turns.get(id) ?? Promise.resolve()).then(work);
    const over = (): void => {
      if (this.#turns.get(id) === turn) {
        this.#turns.delete(id);
      }
    };
    const turn: Promise<void> = result.then(over, over);
    this.#turns.set(id, turn);
    return result;
  }

  /**
   * The caller behind good claims.
   * @throws Refusal `credential_invalid` for an unknown or revoked device or token, `credential_expired`
   *   for a token replaced at `/refresh` or ended
   *   by one that was, `forbidden` for a disabled or waiting device
   */
  callerFor(claims: WrapperClaims): DeviceCaller {
    const entry = this.#devices.get(claims.deviceId);
    if (entry === undefined) {
      throw new Refusal(
        "credential_invalid",
        "This device is unknown here. Enroll it again at POST /bootstrap.",
      );
    }
    checkStatus(entry.record);
    // Tokens carry whole seconds: one issued in the second of the revocation is dead too.
    if (claims.issuedAt < entry.record.tokensValidAfter) {
      throw new Refusal(
        "credential_invalid",
        "This token was revoked. Enroll again at POST /bootstrap.",
      );
    }
    const dead = this.#superseded.get(claims.jti);
    if (hasEnded(claims, entry.record)) {
      throw new Refusal(
        "credential_expired",
        "Token expired: every token of this device has ended, for a replaced one came back. Please refresh your token.",
      );
    }
    if (dead !== undefined && this.#clock.now() >= dead.deadAfter) {
      throw new Refusal(
        "credential_expired",
        "Token expired: it was replaced at /refresh. Please refresh your token.",
      );
    }
    return entry.caller;
  }

  /** Whether no other of the device's tokens was replaced after this one: nobody has renewed its successor. */
  isLastReplaced({ jti, deviceId }: WrapperClaims): boolean {
    const own = this.#superseded.get(jti)?.deadAfter ?? Number.POSITIVE_INFINITY;
    for (const token of this.#superseded.values()) {
      if (token.deviceId === deviceId && token.deadAfter > own) {
        return false;
      }
    }
    return true;
  }

  /** Whether the device renewed another token when this one, which was never replaced, had expired. */
  isOvertaken({ jti, deviceId, expiresAt }: WrapperClaims): boolean {
    if (this.#superseded.has(jti)) {
      return false;
    }
    for (const token of this.#superseded.values()) {
      if (token.deviceId === deviceId && token.deadAfter > expiresAt) {
        return true;
      }
    }
    return false;
  }

  /** Lets a token live only until `deadAfter`. Gives false when it had been replaced before. */
  async supersede(claims: WrapperClaims, deadAfter: EpochMs): Promise<boolean> {
    await this.#forgetExpired();
    const first = !this.#superseded.has(claims.jti);
    const { jti, deviceId, expiresAt } = claims;
    const kept = await this.#store.supersedeToken({ jti, deviceId, deadAfter, expiresAt });
    this.#superseded.set(jti, kept);
    return first;
  }

  /** Tokens that expired by then are nothing at all any more. */
  get #forgottenUntil(): EpochMs {
    return (this.#clock.now() - this.#renewableMs) as EpochMs;
  }

  async #forgetExpired(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#prunedAt < pruneEveryMs) {
      return;
    }
    this.#prunedAt = now;
    const until = this.#forgottenUntil;
    for (const [jti, token] of this.#superseded) {
      if (token.expiresAt <= until) {
        this.#superseded.delete(jti);
      }
    }
    await this.#store.pruneSuperseded(until);
  }
}

/** Whether the token was issued before a replaced one came back. */
export const hasEnded = (
  { issuedAt }: Pick<WrapperClaims, "issuedAt">,
  { replayedAt }: Pick<DeviceRecord, "replayedAt">,
): boolean => issuedAt < replayedAt;

const checkStatus = ({ status }: DeviceRecord): void => {
  switch (status) {
    case "active":
      return;
    case "disabled":
      throw new Refusal("forbidden", "This device is disabled. Ask the operator of this relay.");
    case "pending":
      throw new Refusal("forbidden", "This device waits for an admin's approval.");
    case "revoked":
      throw new Refusal(
        "credential_invalid",
        "This device was revoked. Ask the operator of this relay.",
      );
  }
};

const callerOf = (record: DeviceRecord, organizationOf: OrganizationOf): DeviceCaller => ({
  kind: "device",
  id: record.id,
  userId: record.userId,
  organizationId: record.organizationId ?? organizationOf(record.userId),
  policy: { models: record.models, requestsPerMinute: record.requestsPerMinute },
});
