import type { BootstrapPolicy, EpochMs, OrganizationId } from "@claude-relay/contract";
import type { BootstrapRequest, Enrollment, IssuedToken } from "../pipeline/credential-ports.ts";
import type {
  AuditLog,
  DeviceRecord,
  DeviceStore,
  EnrollmentCodeStore,
} from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import type { DeviceIndex, OrganizationOf } from "./device-index.ts";
import { enrollmentCodeHash } from "./enrollment-code.ts";
import type { WrapperClaims, WrapperTokens } from "./wrapper-token.ts";

type Options = Readonly<{
  /** BOOTSTRAP, or what is tighter for an organization. */
  policyOf: (organizationId: OrganizationId | null) => BootstrapPolicy;
  organizationOf: OrganizationOf;
  tokens: WrapperTokens;
  devices: DeviceIndex;
  deviceStore: DeviceStore;
  codes: EnrollmentCodeStore;
  audit: AuditLog;
  clock: Clock;
}>;

/** A replaced token works this much longer: requests under way keep their credential. */
const graceMs = 60_000;

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
        const { device, waiting } = await devices.alone(deviceId, () => enroll(options, request));
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

    refresh: async (credential, clientIp) => {
      let subject = "unknown";
      try {
        const claims = await tokens.verify(credential);
        subject = claims.deviceId;
        const token = await devices.alone(claims.deviceId, () => renew(options, claims));
        record("device.refresh", subject, "ok", clientIp, {
          jti: token.jti,
          replaced: claims.jti,
        });
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

const issue = (tokens: WrapperTokens, device: DeviceRecord): Promise<IssuedToken> =>
  tokens.issue(
    device.id,
    { models: device.models, requestsPerMinute: device.requestsPerMinute },
    device.tokensValidAfter,
  );

const renew = async (options: Options, claims: WrapperClaims): Promise<IssuedToken> => {
  const { tokens, devices, clock } = options;
  devices.callerFor(claims);
  const device = devices.get(claims.deviceId);
  if (device === null) {
    throw new Refusal("credential_invalid", "This device is unknown here.");
  }
  if (device.publicKey !== null) {
    // Its key was registered so that a stolen token cannot be renewed: without the signature, it is not.
    throw new Refusal(
      "forbidden",
      "This device registered a key, and signed refreshes are not understood yet: get a new token at POST /bootstrap.",
    );
  }
  await devices.supersede(claims, (clock.now() + graceMs) as EpochMs);
  return issue(tokens, device);
};

/** `waiting`: whether the device waits for an admin, and whether it has only just begun to. */
type Enrolled = Readonly<{ device: DeviceRecord; waiting: "new" | "still" | null }>;

const enroll = async (options: Options, request: BootstrapRequest): Promise<Enrolled> => {
  const known = options.devices.get(request.deviceId);
  refuseBarred(known);
  switch (policyFor(options, known)) {
    case "open":
      return { device: await enrollOpenly(options, request, known), waiting: null };
    case "code":
      return enrollByCode(options, request, known);
    case "approve":
      return enrollForApproval(options, request, known);
  }
};

const policyFor = (
  { policyOf, organizationOf }: Options,
  device: Pick<DeviceRecord, "userId" | "organizationId"> | null,
): BootstrapPolicy =>
  policyOf(device === null ? null : (device.organizationId ?? organizationOf(device.userId)));

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
    ...owner,
    // One that was in already keeps the tokens it has while it waits.
    status: waits ? (known?.status ?? "pending") : "active",
    approvedAt: waits ? null : (known?.approvedAt ?? now),
    models: code.models ?? known?.models ?? null,
    requestsPerMinute: code.requestsPerMinute ?? known?.requestsPerMinute ?? null,
  });
  return { device, waiting: waits ? "new" : null };
};

/**
 * An approval is spent by the first token: afterwards the name alone buys nothing. A device that asks
 * again waits for an admin again, while the tokens it has keep working: a stranger who knows its name
 * must not be able to lock it out.
 */
const enrollForApproval = async (
  options: Options,
  request: BootstrapRequest,
  known: DeviceRecord | null,
): Promise<Enrolled> => {
  if (known === null) {
    const fresh = { ...base(options, request, null), status: "pending" as const };
    return { device: await save(options, fresh), waiting: "new" };
  }
  if (known.approvedAt === null) {
    return { device: known, waiting: "still" };
  }
  if (isSpent(known)) {
    return { device: await save(options, { ...known, approvedAt: null }), waiting: "new" };
  }
  // After the approval even by the same clock reading: it is spent now.
  const lastBootstrapAt = Math.max(options.clock.now(), known.approvedAt + 1) as EpochMs;
  const device = await save(options, { ...known, lastBootstrapAt });
  return { device, waiting: null };
};

const isSpent = (device: DeviceRecord): boolean =>
  device.lastBootstrapAt !== null &&
  device.approvedAt !== null &&
  device.lastBootstrapAt > device.approvedAt;

const base = (
  { clock }: Options,
  request: BootstrapRequest,
  known: DeviceRecord | null,
): DeviceRecord => ({
  id: request.deviceId,
  status: "active",
  label: known?.label ?? null,
  appVersion: request.appVersion ?? known?.appVersion ?? null,
  publicKey: request.publicKey ?? known?.publicKey ?? null,
  userId: known?.userId ?? null,
  organizationId: known?.organizationId ?? null,
  models: known?.models ?? null,
  requestsPerMinute: known?.requestsPerMinute ?? null,
  createdAt: known?.createdAt ?? clock.now(),
  approvedAt: known?.approvedAt ?? null,
  lastBootstrapAt: clock.now(),
  tokensValidAfter: known?.tokensValidAfter ?? (0 as EpochMs),
});

const save = async (
  { deviceStore, devices }: Options,
  record: DeviceRecord,
): Promise<DeviceRecord> => devices.keep(await deviceStore.upsert(record));
