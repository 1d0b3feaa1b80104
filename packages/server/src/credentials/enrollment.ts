import type { EpochMs } from "@claude-relay/contract";
import type { BootstrapRequest, Enrollment } from "../pipeline/credential-ports.ts";
import { deviceKeyFingerprint } from "../pipeline/device-key-fingerprint.ts";
import type {
  AuditLog,
  DeviceRecord,
  DeviceStore,
  EnrollmentCodeStore,
} from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import type { DemandAppVersion } from "./app-version.ts";
import { approvalStep, keysWhileWaiting } from "./approval.ts";
import { type BootstrapPolicies, policyFor } from "./bootstrap-policy.ts";
import type { DeviceIndex } from "./device-index.ts";
import { type DeviceKeyRule, demandDeviceKey, demandKeyWhere } from "./device-key.ts";
import { enrollmentCodeHash } from "./enrollment-code.ts";
import { issue, renew } from "./renewal.ts";
import type { ReplayOutcome } from "./replay.ts";
import type { WrapperTokens } from "./wrapper-token.ts";

type Options = BootstrapPolicies &
  Readonly<{
    tokens: WrapperTokens;
    devices: DeviceIndex;
    deviceStore: DeviceStore;
    codes: EnrollmentCodeStore;
    /** DEVICE_KEYS. */
    deviceKeys: DeviceKeyRule;
    /** DEVICE_RENEWAL_DAYS, in milliseconds: how long ago a token may have expired that a device's key renews. */
    renewableMs: number;
    demandAppVersion: DemandAppVersion;
    audit: AuditLog;
    clock: Clock;
  }>;

/** Who becomes a device, and how a device gets and renews its wrapper token. */
export const createEnrollment = (options: Options): Enrollment => {
  const { tokens, devices, audit, clock } = options;

  const record = (
    action: string,
    subject: string,
    outcome: string,
    clientIp: string,
    detail: Record<string, unknown> | null = null,
  ): void => {
    const actor = subject === "unknown" ? subject : `device:${subject}`;
    void audit.append({ at: clock.now(), actor, action, subject, outcome, detail, clientIp });
  };

  return {
    bootstrap: async (request) => {
      const { deviceId, clientIp } = request;
      try {
        demandDeviceKey(request.publicKey);
        const { device, waiting, before } = await devices.alone(deviceId, () =>
          enroll(options, request),
        );
        if (before !== null && before !== device.publicKey) {
          const [from, to] = [before, device.publicKey].map(deviceKeyFingerprint);
          record("device.key_change", deviceId, "ok", clientIp, { from, to });
        }
        if (waiting !== null) {
          if (waiting === "new") {
            record("device.bootstrap", deviceId, "waiting", clientIp);
          }
          return { kind: "waiting", deviceId };
        }
        const token = await issue(tokens, device);
        record("device.bootstrap", deviceId, "ok", clientIp, { jti: token.jti });
        return { kind: "issued", token };
      } catch (error) {
        if (error instanceof Refusal) {
          record("device.bootstrap", deviceId, error.code, clientIp, { reason: error.message });
        }
        throw error;
      }
    },

    refresh: async (credential, { proof, appVersion, clientIp }) => {
      let subject = "unknown";
      try {
        const claims = await tokens.verify(credential, options.renewableMs);
        subject = claims.deviceId;
        const onReplay = (outcome: ReplayOutcome, proved: boolean): void =>
          record("device.replay", claims.deviceId, outcome, clientIp, { jti: claims.jti, proved });
        const token = await devices.alone(claims.deviceId, () =>
          renew(options, { claims, credential, proof, appVersion, onReplay }),
        );
        const { jti: replaced, expiresAt } = claims;
        const detail = { jti: token.jti, replaced, ...(expiresAt <= clock.now() && { expiresAt }) };
        record("device.refresh", subject, "ok", clientIp, detail);
        return token;
      } catch (error) {
        if (error instanceof Refusal) {
          record("device.refresh", subject, error.code, clientIp, { reason: error.message });
        }
        throw error;
      }
    },
  };
};

/** `waiting`: whether the device waits for an admin, and whether it has only just begun to. */
type Enrolled = Readonly<{ device: DeviceRecord; waiting: "new" | "still" | null }>;

/** `before`: the key it had until now. */
const enroll = async (
  options: Options,
  request: BootstrapRequest,
): Promise<Enrolled & Readonly<{ before: string | null }>> => {
  const known = options.devices.get(request.deviceId);
  refuseBarred(known);
  options.demandAppVersion(request.appVersion);
  demandKeyWhere(options.deviceKeys, request.publicKey, known);
  const enrolled = await enrollByPolicy(options, request, known);
  return { ...enrolled, before: known?.publicKey ?? null };
};

const enrollByPolicy = async (
  options: Options,
  request: BootstrapRequest,
  known: DeviceRecord | null,
): Promise<Enrolled> => {
  switch (policyFor(options, known)) {
    case "open":
      return { device: await enrollOpenly(options, request, known), waiting: null };
    case "code":
      return enrollByCode(options, request, known);
    case "approve":
      return enrollForApproval(options, request, known);
  }
};

const refuseBarred = (known: DeviceRecord | null): void => {
  if (known?.status === "disabled" || known?.status === "revoked") {
    throw new Refusal(
      "forbidden",
      `This device is ${known.status}. Ask the operator of this relay.`,
    );
  }
};

const enrollOpenly = async (
  options: Options,
  request: BootstrapRequest,
  known: DeviceRecord | null,
): Promise<DeviceRecord> => {
  if (!request.fromThisMachine) {
    throw new Refusal(
      "forbidden",
      "BOOTSTRAP=open serves this machine only: for other machines set BOOTSTRAP=code and bring an enrollment_code.",
    );
  }
  return save(options, { ...base(options, request, known), status: "active" });
};

/**
 * A code lets a new device in and an old one back in: the identity of a known device is not
 * to be had for the knowledge of its name. Into an organization that approves its devices it only
 * leads to the door.
 */
const enrollByCode = async (
  options: Options,
  request: BootstrapRequest,
  known: DeviceRecord | null,
): Promise<Enrolled> => {
  if (request.enrollmentCode === null) {
    throw new Refusal(
      "forbidden",
      "enrollment_code is required: ask the operator of this relay for one (POST /admin/enrollment-codes).",
    );
  }
  const now = options.clock.now();
  const consumption = await options.codes.consume(enrollmentCodeHash(request.enrollmentCode), now);
  if (consumption.kind === "refused") {
    throw new Refusal(
      "forbidden",
      `enrollment_code is ${consumption.reason.replace("_", " ")}: ask the operator of this relay for a new one.`,
    );
  }
  const { code } = consumption;
  const owner = {
    userId: code.userId ?? known?.userId ?? null,
    organizationId: code.organizationId ?? known?.organizationId ?? null,
  };
  const waits = policyFor(options, owner) === "approve";
  const device = await save(options, {
    ...base(options, request, known),
    ...(waits && keysWhileWaiting(request.publicKey, known)),
    ...owner,
    // One that was in already keeps the tokens it has while it waits.
    status: waits ? (known?.status ?? "pending") : "active",
    approvedAt: waits ? null : (known?.approvedAt ?? now),
    models: code.models ?? known?.models ?? null,
    requestsPerMinute: code.requestsPerMinute ?? known?.requestsPerMinute ?? null,
  });
  return { device, waiting: waits ? "new" : null };
};

const enrollForApproval = async (
  options: Options,
  request: BootstrapRequest,
  known: DeviceRecord | null,
): Promise<Enrolled> => {
  if (known === null) {
    const fresh = { ...base(options, request, null), status: "pending" as const };
    return { device: await save(options, fresh), waiting: "new" };
  }
  const { row, waiting } = approvalStep(request, known, options.clock.now());
  return { device: row === known ? known : await save(options, row), waiting };
};

const base = (
  { clock }: Options,
  request: BootstrapRequest,
  known: DeviceRecord | null,
): DeviceRecord => ({
  id: request.deviceId,
  status: "active",
  label: known?.label ?? request.deviceName,
  appVersion: request.appVersion ?? known?.appVersion ?? null,
  publicKey: request.publicKey ?? known?.publicKey ?? null,
  waitingKey: null,
  userId: known?.userId ?? null,
  organizationId: known?.organizationId ?? null,
  models: known?.models ?? null,
  requestsPerMinute: known?.requestsPerMinute ?? null,
  createdAt: known?.createdAt ?? clock.now(),
  approvedAt: known?.approvedAt ?? null,
  lastBootstrapAt: clock.now(),
  tokensValidAfter: known?.tokensValidAfter ?? (0 as EpochMs),
  replayedAt: known?.replayedAt ?? (0 as EpochMs),
});

const save = async (
  { deviceStore, devices }: Options,
  record: DeviceRecord,
): Promise<DeviceRecord> => devices.keep(await deviceStore.upsert(record));
