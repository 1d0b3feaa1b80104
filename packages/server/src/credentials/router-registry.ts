import type { RouterId } from "@claude-relay/contract";
import { callerKey } from "../pipeline/caller-key.ts";
import type { AuditLog } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type {
  RouterProof,
  RouterRecord,
  RouterRegistry,
  RouterStore,
} from "../pipeline/router-ports.ts";
import type { Clock, RouterCaller } from "../pipeline/types.ts";
import type { OwnerIndex } from "./owner-index.ts";
import type { RouterIndex } from "./router-index.ts";
import type { RouterSecrets } from "./router-secret.ts";

type Options = Readonly<{
  store: RouterStore;
  index: RouterIndex;
  secrets: RouterSecrets;
  /** CLAUDE_RELAY_HANDSHAKE_SECRET: of every router that has none of its own. */
  sharedSecret: string | null;
  owners: OwnerIndex;
  audit: AuditLog;
  clock: Clock;
  /** Routers at which nobody registers itself any more; more are added by name only. */
  mostKnown?: number;
}>;

/** What routers prove at the handshake, and whom they stand for after it. */
export const createRouterRegistry = (options: Options): RouterRegistry => {
  const { index, secrets, sharedSecret, owners, clock } = options;

  const opensUnsigned = (id: RouterId): boolean => {
    const record = index.get(id);
    return sharedSecret === null && (record === null || !hasOwnSecret(record));
  };

  const callerOf = (record: RouterRecord, proof: RouterProof): RouterCaller => {
    if (record.revokedAt !== null) {
      throw new Refusal(
        "forbidden",
        `The router "${record.id}" is revoked. Ask the operator of this relay.`,
      );
    }
    if (proof.enrolledBy === "loopback" && !opensUnsigned(record.id)) {
      throw new Refusal(
        "credential_invalid",
        `The router "${record.id}" has a secret: it must sign with it.`,
      );
    }
    index.note(record.id, clock.now(), printable(proof.identity));
    return demandCaller(index, record.id);
  };

  return {
    secretsFor: (id) => {
      const record = index.get(id);
      if (record !== null && hasOwnSecret(record)) {
        return secrets.all(record);
      }
      return sharedSecret === null ? [] : [sharedSecret];
    },
    opensUnsigned,
    admit: async (id, proof) => {
      const known = index.get(id);
      if (known !== null) {
        return callerOf(known, proof);
      }
      // What it proved, it proved as one that has no secret of its own.
      const registered = await owners.alone(() => register(options, id, proof));
      if (hasOwnSecret(registered)) {
        throw new Refusal(
          "credential_invalid",
          `The router "${id}" was just added with a secret of its own: use that one.`,
        );
      }
      return callerOf(registered, proof);
    },
    current: (id, generation) => {
      const record = index.get(id);
      if (record === null || record.revokedAt !== null || record.generation !== generation) {
        return null;
      }
      index.note(id, clock.now());
      return index.callerOf(id);
    },
    generationOf: (id) => index.get(id)?.generation ?? 0,
  };
};

/** Whoever holds the shared secret may register names without end: the table and the memory may not. */
const defaultMostKnown = 10_000;

/** The row of a router not seen before; the one that is there when another was faster. */
const register = async (
  { index, store, audit, clock, mostKnown = defaultMostKnown }: Options,
  id: RouterId,
  proof: RouterProof,
): Promise<RouterRecord> => {
  const known = index.get(id);
  if (known !== null) {
    return known;
  }
  if (index.size >= mostKnown) {
    throw new Refusal(
      "rate_limited",
      `This relay knows ${index.size} routers and takes no more by itself. Ask its operator to add this one by name.`,
      { retryAfterSeconds: 60 },
    );
  }
  const inserted = await store.insert(newRouter(id, proof, clock));
  if (inserted === null) {
    // Another instance made it, and word of that is still on its way.
    await index.reload(store);
    return demandRecord(index, id);
  }
  const kept = index.keep(inserted);
  await audit.append({
    at: clock.now(),
    actor: callerKey(demandCaller(index, id)),
    action: "router.register",
    subject: id,
    outcome: "ok",
    detail: { enrolled_by: proof.enrolledBy, identity: kept.identity },
    clientIp: proof.clientIp,
  });
  return kept;
};

const newRouter = (id: RouterId, proof: RouterProof, clock: Clock): RouterRecord => ({
  id,
  enrolledBy: proof.enrolledBy,
  generation: 1,
  identity: printable(proof.identity),
  createdAt: clock.now(),
  rotatedAt: null,
  revokedAt: null,
  lastSeenAt: clock.now(),
  models: null,
  requestsPerMinute: null,
  userId: null,
  organizationId: null,
});

const hasOwnSecret = ({ enrolledBy }: RouterRecord): boolean => enrolledBy === "admin";

/** As a database and a terminal can hold it. */
const printable = (identity: string): string =>
  identity.toWellFormed().replace(/\p{Cc}/gu, "\uFFFD");

const demandRecord = (index: RouterIndex, id: RouterId): RouterRecord => {
  const record = index.get(id);
  if (record === null) {
    throw new Error(`the router ${id} is taken and not there`);
  }
  return record;
};

const demandCaller = (index: RouterIndex, id: RouterId): RouterCaller => {
  const caller = index.callerOf(id);
  if (caller === null) {
    throw new Error(`the router ${id} is nobody`);
  }
  return caller;
};
