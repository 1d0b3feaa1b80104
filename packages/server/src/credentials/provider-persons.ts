/** Which user an account at an OpenID provider is. */
import { createHash, randomUUID } from "node:crypto";
import type { EpochMs, OrganizationId, UserId } from "@claude-relay/contract";
import type { UserRecord, UserStore } from "../pipeline/owner-ports.ts";
import type { AuditLog } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { RefusalAudit } from "../pipeline/refusal-audit.ts";
import type {
  LinkedPerson,
  LinkedPersons,
  ProviderAccount,
  SignInLink,
  SignInLinkStore,
} from "../pipeline/sign-in-ports.ts";
import type { Clock } from "../pipeline/types.ts";
import type { OwnerIndex } from "./owner-index.ts";

/** Who may become which user. */
export type PersonRules = Readonly<{
  /** The claim that names the user, the first time. */
  claim: string;
  /** Of verified e-mail addresses, in small letters; null: nobody's is asked for. */
  domains: readonly string[] | null;
  /** Whether who is no user becomes one, and of which organization. */
  create: Readonly<{ organizationId: OrganizationId | null }> | null;
}>;

type Options = Readonly<{
  rules: PersonRules;
  links: SignInLinkStore;
  users: Pick<UserStore, "insert" | "replace">;
  owners: OwnerIndex;
  audit: AuditLog;
  refusals: Pick<RefusalAudit, "record">;
  clock: Clock;
}>;

/**
 * An account is known by issuer and sub, which a provider gives once. What else it says of people may change hands,
 * and counts only the first time: then it must be vouched for, and name a user who is no other account.
 */
export const createLinkedPersons = (options: Options): LinkedPersons => {
  const { links, owners } = options;
  const isStill = async ({ linkId, userId }: LinkedPerson): Promise<boolean> => {
    const link = await links.get(linkId);
    const user = owners.users.get(userId);
    return user !== null && link?.userId === userId && !isOfEarlier(link, user);
  };
  // No user comes or goes while one is linked.
  const linked = (account: ProviderAccount, clientIp: string): Promise<LinkedPerson> =>
    owners.alone(() => personOf(options, account, clientIp));

  return {
    personOf: async (account, clientIp) => {
      try {
        demandDomain(options.rules, account);
        return await linked(account, clientIp).catch(async (error: unknown) => {
          if (error instanceof UnheardUser) {
            await owners.reload();
          } else if (error instanceof Refusal && error.code === "conflict") {
            await hearOfUser(options, account);
          } else {
            throw error;
          }
          return linked(account, clientIp);
        });
      } catch (error) {
        if (error instanceof Refusal && error.code === "forbidden") {
          recordRefusal(options, error, account, clientIp);
        }
        throw error;
      }
    },
    isStill,
  };
};

/** Another process made the user a moment ago. All must know them before an account is linked with them. */
const hearOfUser = async (
  { rules, users, owners }: Options,
  account: ProviderAccount,
): Promise<void> => {
  await owners.reload();
  const made = owners.users.get(smallLetters(rules, nameOf(rules, account)));
  if (made !== null) {
    await users.replace(made);
  }
};

const personOf = async (
  options: Options,
  account: ProviderAccount,
  clientIp: string,
): Promise<LinkedPerson> => {
  const { links, owners } = options;
  const { issuer, subject } = account;
  const known = await links.ofAccount(issuer, subject);
  if (known !== null) {
    const user = owners.users.get(known.userId);
    if (user === null) {
      throw new UnheardUser();
    }
    if (!isOfEarlier(known, user)) {
      return { userId: known.userId, linkId: known.id };
    }
    await links.removeOf(known.userId);
  }
  const user = await userFor(options, account, clientIp);
  const { id: userId } = user;
  if ((await links.ofUser(userId)).some((one) => isOfEarlier(one, user))) {
    await links.removeOf(userId);
  }
  // Processes' clocks differ.
  const linkedAt = Math.max(options.clock.now(), user.createdAt) as EpochMs;
  const link = { id: randomUUID(), issuer, subject, userId, linkedAt };
  if (!(await links.insert(link))) {
    const other = (await links.ofUser(userId)).find((one) => one.issuer === issuer);
    if (other?.subject === subject) {
      // Another process was faster with the same.
      return { userId, linkId: other.id };
    }
    throw new Refusal(
      "forbidden",
      "Your user of this relay belongs to another account there. Ask the operator of this relay.",
    );
  }
  const detail = { link: link.id, issuer, account: accountHash(account) };
  await record(options, `user:${userId}`, "user.link", userId, detail, clientIp);
  return { userId, linkId: link.id };
};

/** A user may go while another process links with them: whoever gets the id next is not who was linked. */
const isOfEarlier = ({ linkedAt }: SignInLink, { createdAt }: UserRecord): boolean =>
  linkedAt < createdAt;

/** The user whom the account's claim names; made, where the rules say so. */
const userFor = async (
  options: Options,
  account: ProviderAccount,
  clientIp: string,
): Promise<UserRecord> => {
  const { rules, users, owners, clock } = options;
  const name = nameOf(rules, account);
  const found = owners.users.get(name) ?? sameInSmall(options, name);
  if (found !== null) {
    return found;
  }
  const id = smallLetters(rules, name);
  if (rules.create === null || !userIdShape.test(id)) {
    throw noUser();
  }
  const { organizationId } = rules.create;
  if (organizationId !== null && owners.organizations.get(organizationId) === null) {
    throw new Refusal(
      "forbidden",
      "New people cannot sign in yet: the organization they are to belong to is not there. Tell the operator of this relay.",
    );
  }
  const row = { id, name: null, organizationId, createdAt: clock.now() };
  const made = owners.users.keep(await users.insert(row));
  const detail = { organization_id: organizationId, account: accountHash(account) };
  await record(options, "provider", "user.create", id, detail, clientIp);
  return made;
};

/** However an admin wrote the address, unless two users have it. */
const sameInSmall = ({ rules, owners }: Options, name: UserId): UserRecord | null => {
  const small = smallLetters(rules, name);
  const same = [...owners.users.all()].filter(({ id }) => smallLetters(rules, id) === small);
  return owners.users.get(small) ?? (same.length > 1 ? null : (same[0] ?? null));
};

/** As the admin API has it. */
const userIdShape = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/;

/** @throws Refusal for a claim that is not there, and for an e-mail address nobody vouches for */
const nameOf = ({ claim }: PersonRules, account: ProviderAccount): UserId => {
  const value = claim === "email" ? verifiedEmail(account) : account.claims[claim];
  if (typeof value !== "string" || value === "") {
    throw claim === "email" ? notVerified() : noUser();
  }
  return value as UserId;
};

/** Addresses differ by case in writing only. Other letters than ours stay: some become ours in small. */
const smallLetters = ({ claim }: PersonRules, name: UserId): UserId =>
  (claim === "email" ? inSmall(name) : name) as UserId;

const inSmall = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Some providers send the truth as text. */
const verifiedEmail = ({ claims }: ProviderAccount): string | null => {
  const { email, email_verified: verified } = claims;
  return typeof email === "string" && (verified === true || verified === "true") ? email : null;
};

const demandDomain = ({ domains }: PersonRules, account: ProviderAccount): void => {
  if (domains === null) {
    return;
  }
  const email = verifiedEmail(account);
  if (email === null) {
    throw notVerified();
  }
  const [, domain] = /^[^@\s]+@([^@\s]+)$/.exec(inSmall(email)) ?? [];
  if (domain === undefined || !domains.includes(domain)) {
    throw new Refusal(
      "forbidden",
      "People with an e-mail address like yours may not sign in here.",
    );
  }
};

const remedy =
  "Ask the operator of this relay, or sign out there and come back with another account.";

const noUserWords = `You are signed in there, but you are no user of this relay. ${remedy}`;

const noUser = (): Refusal => new Refusal("forbidden", noUserWords);

/** Linked with a user whom another process may have made a moment ago; else they are gone. */
class UnheardUser extends Refusal {
  constructor() {
    super("forbidden", noUserWords);
  }
}

const notVerified = (): Refusal =>
  new Refusal(
    "forbidden",
    `You are signed in there, but your e-mail address is not verified there. ${remedy}`,
  );

/** Tells accounts apart in the audit log without telling whose they are. */
const accountHash = ({ issuer, subject }: Pick<ProviderAccount, "issuer" | "subject">): string =>
  createHash("sha256").update(`${issuer}\n${subject}`).digest("hex").slice(0, 32);

const recordRefusal = (
  { refusals }: Options,
  refusal: Refusal,
  account: ProviderAccount,
  clientIp: string,
): void =>
  refusals.record({
    actor: "unknown",
    action: "sign_in.refuse",
    subject: null,
    refusal,
    detail: { by: "provider", account: accountHash(account) },
    clientIp,
  });

const record = (
  { audit, clock }: Options,
  actor: string,
  action: string,
  subject: UserId,
  detail: Readonly<Record<string, unknown>>,
  clientIp: string,
): Promise<void> =>
  audit.append({ at: clock.now(), actor, action, subject, outcome: "ok", detail, clientIp });
