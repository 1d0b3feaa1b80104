/** What credentials/ does for http/: enrollment, and an admin's work on devices and codes. */
import type { DeviceId, EpochMs, OrganizationId, UserId } from "@claude-relay/contract";
import type {
  DeviceChanges,
  DeviceRecord,
  DeviceStatus,
  EnrollmentCodeRecord,
  Page,
  PageQuery,
} from "./ports.ts";

export type BootstrapRequest = Readonly<{
  deviceId: DeviceId;
  appVersion: string | null;
  /** What its people call it. */
  deviceName: string | null;
  enrollmentCode: string | null;
  publicKey: string | null;
  clientIp: string;
  /** The request came from this machine itself, not through a proxy or tunnel. */
  fromThisMachine: boolean;
}>;

/** A device's signature under a renewal, as it came. */
export type RefreshProof = Readonly<{
  /** Epoch seconds. */
  timestamp: number;
  nonce: string;
  /** Ed25519, base64url. */
  signature: string;
}>;

export type RefreshRequest = Readonly<{
  proof: RefreshProof | null;
  appVersion: string | null;
  clientIp: string;
}>;

export type IssuedToken = Readonly<{ token: string; jti: string; expiresAt: EpochMs }>;

export type BootstrapResult =
  | { readonly kind: "issued"; readonly token: IssuedToken }
  | { readonly kind: "waiting"; readonly deviceId: DeviceId };

export interface Enrollment {
  /** @throws Refusal `forbidden` when the policy does not let this device in, `update_needed` for an old app */
  bootstrap(request: BootstrapRequest): Promise<BootstrapResult>;
  /**
   * A new token for a good one, which works for a grace more. A device with a key must bring its
   * proof, and may bring a token that expired not long ago.
   * One that comes back with a token replaced before the grace loses every token it has.
   * @throws Refusal as authentication does, `update_needed` for an old app
   */
  refresh(credential: string, request: RefreshRequest): Promise<IssuedToken>;
}

/** What an admin does with devices. Every change counts at once and is audited. */
export interface DeviceAdmin {
  list(
    query: PageQuery & Readonly<{ status?: DeviceStatus | undefined }>,
  ): Promise<Page<DeviceRecord>>;
  /** @throws Refusal `not_found` */
  get(id: DeviceId): DeviceRecord;
  /** @throws Refusal `not_found` */
  change(id: DeviceId, changes: DeviceChanges, clientIp: string): Promise<DeviceRecord>;
  /**
   * Lets a waiting device have a token at its next `/bootstrap`.
   * @param fingerprint of the key that the admin means; null for whatever key waits
   * @throws Refusal `not_found`, `conflict`, also when another key waits by now
   */
  approve(id: DeviceId, fingerprint: string | null, clientIp: string): Promise<DeviceRecord>;
  /** Ends every token of the device; the device itself may enroll again. @throws Refusal `not_found` */
  revokeTokens(id: DeviceId, clientIp: string): Promise<DeviceRecord>;
}

export type NewEnrollmentCode = Readonly<{
  label: string | null;
  maxUses: number;
  expiresInHours: number;
  models: readonly string[] | null;
  requestsPerMinute: number | null;
  userId: UserId | null;
  organizationId: OrganizationId | null;
}>;

export interface EnrollmentCodeAdmin {
  /** Mints a code: this is the one time it is told; the store keeps its digest. */
  mint(
    wanted: NewEnrollmentCode,
    clientIp: string,
  ): Promise<Readonly<{ code: string; record: EnrollmentCodeRecord }>>;
  list(query: PageQuery): Promise<Page<EnrollmentCodeRecord>>;
  /** @throws Refusal `not_found` */
  revoke(id: string, clientIp: string): Promise<EnrollmentCodeRecord>;
}
