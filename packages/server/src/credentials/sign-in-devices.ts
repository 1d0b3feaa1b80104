/** A person who signed in calls as a device of theirs: what such devices are, and what they are not. */
import { randomBytes } from "node:crypto";
import type { DeviceId, EpochMs, UserId } from "@claude-relay/contract";
import { decodeJwt } from "jose";
import type { Identify } from "../pipeline/authenticate.ts";
import type { Enrollment } from "../pipeline/credential-ports.ts";
import type { DeviceChanges, DeviceRecord, DeviceStore } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { isSignIn, type SignInDevices, signInPrefix } from "../pipeline/sign-in-ports.ts";
import type { Caller, Clock } from "../pipeline/types.ts";
import type { DeviceIndex } from "./device-index.ts";
import type { OwnerIndex } from "./owner-index.ts";
import type { WrapperTokens } from "./wrapper-token.ts";

type Options = Readonly<{
  store: DeviceStore;
  index: DeviceIndex;
  owners: OwnerIndex;
  tokens: WrapperTokens;
  clock: Clock;
}>;

export type SignInRegistry = SignInDevices &
  Readonly<{
    /** Gives how many had not ended before. */
    endAllOf(userId: UserId): Promise<number>;
    /** The same when the person is gone: their devices belong to nobody. */
    forget(userId: UserId): Promise<void>;
  }>;

export const createSignInDevices = (options: Options): SignInRegistry => {
  const { store, index, owners, tokens, clock } = options;

  const change = (id: DeviceId, changes: DeviceChanges): Promise<void> =>
    index.alone(id, async () => {
      const changed = await store.update(id, changes);
      if (changed !== null) {
        index.keep(changed);
      }
    });

  const end = async (id: DeviceId): Promise<boolean> => {
    const device = await find(index, id);
    if (device === null || device.status === "revoked") {
      return false;
    }
    await change(id, { status: "revoked", tokensValidAfter: clock.now() });
    return true;
  };

  const allOf = async (userId: UserId): Promise<readonly DeviceRecord[]> =>
    (await store.loadAll()).filter((device) => device.userId === userId && isSignIn(device.id));

  return {
    newId: () => `${signInPrefix}${randomBytes(12).toString("hex")}` as DeviceId,
    // No user goes while it is done: a device made after that would stay behind.
    enroll: ({ id, userId, appVersion }) =>
      owners.alone(() =>
        index.alone(id, async () => {
          const user = owners.users.get(userId);
          if (user === null) {
            return false;
          }
          // Processes' clocks differ.
          const now = Math.max(clock.now(), user.createdAt) as EpochMs;
          index.keep(await store.upsert(newDevice(id, userId, appVersion, now)));
          return true;
        }),
      ),
    issue: async (id, since) => {
      const device = await find(index, id);
      if (device === null || !isWelcome(owners, device) || since <= device.tokensValidAfter) {
        return null;
      }
      const policy = { models: device.models, requestsPerMinute: device.requestsPerMinute };
      return tokens.issue(id, policy, device.tokensValidAfter);
    },
    end,
    endAllOf: async (userId) => {
      let ended = 0;
      for (const { id } of await allOf(userId)) {
        ended += (await end(id)) ? 1 : 0;
      }
      return ended;
    },
    forget: async (userId) => {
      for (const { id } of await allOf(userId)) {
        await change(id, { status: "revoked", tokensValidAfter: clock.now(), userId: null });
      }
    },
  };
};

/** Another instance may have made it a moment ago. */
const find = async (index: DeviceIndex, id: DeviceId): Promise<DeviceRecord | null> => {
  if (index.get(id) === null) {
    await index.refresh(id);
  }
  return index.get(id);
};

/** Not by a user who got the id later: the one before may have gone while another process made the device. */
const isWelcome = (owners: OwnerIndex, { status, userId, createdAt }: DeviceRecord): boolean => {
  const user = userId === null ? null : owners.users.get(userId);
  return status === "active" && user !== null && user.createdAt <= createdAt;
};

const newDevice = (
  id: DeviceId,
  userId: UserId,
  appVersion: string | null,
  now: EpochMs,
): DeviceRecord => ({
  id,
  status: "active",
  label: "Claude Code sign-in",
  appVersion,
  publicKey: null,
  waitingKey: null,
  userId,
  organizationId: null,
  models: null,
  requestsPerMinute: null,
  createdAt: now,
  approvedAt: now,
  lastBootstrapAt: now,
  tokensValidAfter: 0 as EpochMs,
  replayedAt: 0 as EpochMs,
});

/** No device becomes a sign-in at `/bootstrap`, and a sign-in is renewed with its refresh token alone. */
export const withoutSignIns = (enrollment: Enrollment): Enrollment => ({
  bootstrap: async (request) => {
    if (isSignIn(request.deviceId)) {
      throw new Refusal(
        "forbidden",
        `device_id: names that begin with ${signInPrefix} belong to people who signed in. Choose another.`,
      );
    }
    return enrollment.bootstrap(request);
  },
  refresh: async (credential, ...rest) => {
    if (isSignIn(subjectOf(credential))) {
      throw new Refusal(
        "forbidden",
        "This token is of a sign-in: renew it at POST /oauth/token, with its refresh token.",
      );
    }
    return enrollment.refresh(credential, ...rest);
  },
});

/** Unverified: it only serves to turn a token away. */
const subjectOf = (token: string): DeviceId => {
  try {
    return (decodeJwt(token).sub ?? "") as DeviceId;
  } catch {
    return "" as DeviceId;
  }
};

/** A sign-in whose person is gone is nobody, even before its row says so. */
export const demandPersons = (identify: Identify, isUser: (id: UserId) => boolean): Identify => {
  const isGone = (caller: Caller): boolean =>
    caller.kind === "device" &&
    isSignIn(caller.id) &&
    (caller.userId === null || !isUser(caller.userId));
  return {
    known: (credential) => {
      const caller = identify.known(credential);
      return caller === null || isGone(caller) ? null : caller;
    },
    verify: async (credential) => {
      const caller = await identify.verify(credential);
      if (isGone(caller)) {
        throw new Refusal(
          "credential_invalid",
          "The person who signed in is not a user of this relay any more.",
        );
      }
      return caller;
    },
  };
};
