import type { UserId } from "@claude-relay/contract";
import type { AuditLog } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { PasswordAdmin, PasswordStore } from "../pipeline/sign-in-ports.ts";
import type { Clock } from "../pipeline/types.ts";
import { createAdminRecord } from "./admin-record.ts";
import { demandUser } from "./owner-checks.ts";
import type { OwnerIndex } from "./owner-index.ts";
import { hashPassword } from "./password-hash.ts";
import { longestPassword } from "./person-sign-in.ts";

type Options = Readonly<{
  store: PasswordStore;
  owners: OwnerIndex;
  /** Ends every sign-in of a person. */
  endAllOf: (userId: UserId) => Promise<number>;
  audit: AuditLog;
  clock: Clock;
}>;

const shortestPassword = 12;
/** A shorter id is in many a good password by chance. */
const shortestTellingId = 4;

export const createPasswordAdmin = (options: Options): PasswordAdmin => {
  const { store, owners, endAllOf, audit, clock } = options;
  const record = createAdminRecord(audit, clock);

  return {
    set: async (userId, password, clientIp) => {
      demandUser(owners, userId);
      checkPassword(userId, password);
      const hash = await hashPassword(password);
      // No user goes while a password is set for them.
      return owners.alone(async () => {
        demandUser(owners, userId);
        const kept = { userId, hash, changedAt: clock.now() };
        await store.put(kept);
        const ended = await endAllOf(userId);
        await record("user.password", userId, { sign_ins_ended: ended }, clientIp);
        return kept;
      });
    },
    remove: (userId, clientIp) =>
      owners.alone(async () => {
        demandUser(owners, userId);
        if (!(await store.remove(userId))) {
          throw new Refusal("not_found", `The user "${userId}" has no password.`);
        }
        const ended = await endAllOf(userId);
        await record("user.password_delete", userId, { sign_ins_ended: ended }, clientIp);
      }),
  };
};

const checkPassword = (userId: UserId, password: string): void => {
  const letters = [...password.normalize("NFKC")].length;
  if (letters < shortestPassword || password.length > longestPassword) {
    throw new Refusal(
      "invalid_request",
      `password: must have ${shortestPassword} to ${longestPassword} characters.`,
    );
  }
  const id = userId.toLowerCase();
  const holdsId = id.length >= shortestTellingId && password.toLowerCase().includes(id);
  if (new Set(password).size < 5 || holdsId) {
    throw new Refusal(
      "invalid_request",
      "password: too easy to guess: use more different characters, and not the user's id.",
    );
  }
};
