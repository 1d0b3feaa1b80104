import type { UserId } from "@claude-relay/contract";
import type { AuditLog } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { SignInLinkAdmin, SignInLinkStore } from "../pipeline/sign-in-ports.ts";
import type { Clock } from "../pipeline/types.ts";
import { createAdminRecord } from "./admin-record.ts";
import { demandUser } from "./owner-checks.ts";
import type { OwnerIndex } from "./owner-index.ts";

type Options = Readonly<{
  store: SignInLinkStore;
  owners: OwnerIndex;
  /** Ends every sign-in of a person. */
  endAllOf: (userId: UserId) => Promise<number>;
  audit: AuditLog;
  clock: Clock;
}>;

export const createSignInLinkAdmin = (options: Options): SignInLinkAdmin => {
  const { store, owners, endAllOf, audit, clock } = options;
  const record = createAdminRecord(audit, clock);

  return {
    list: async (userId) => {
      demandUser(owners, userId);
      return store.ofUser(userId);
    },
    remove: (userId, clientIp) =>
      owners.alone(async () => {
        demandUser(owners, userId);
        if ((await store.removeOf(userId)) === 0) {
          throw new Refusal("not_found", `The user "${userId}" has no account at a provider.`);
        }
        const ended = await endAllOf(userId);
        await record("user.unlink", userId, { sign_ins_ended: ended }, clientIp);
      }),
  };
};
