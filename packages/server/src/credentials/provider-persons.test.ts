import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epochMs, type UserId } from "@claude-relay/contract";
import type { ProviderAccount, SignInLink, SignInLinkStore } from "../pipeline/sign-in-ports.ts";
import { OwnerIndex } from "./owner-index.ts";
import { createLinkedPersons } from "./provider-persons.ts";
import { memoryStores } from "./testing/owners.ts";

const issuer = "https://login.example.com";
const ann = "ann@example.com" as UserId;

const accountOf = (subject: string): ProviderAccount => ({
  issuer,
  subject,
  claims: { email: ann, email_verified: true },
});

/** With the two uniques of the table. */
const memoryLinks = (rows: SignInLink[]): SignInLinkStore => ({
  get: async (id) => rows.find((row) => row.id === id) ?? null,
  ofAccount: async (of, subject) =>
    rows.find((row) => row.issuer === of && row.subject === subject) ?? null,
  ofUser: async (userId) => rows.filter((row) => row.userId === userId),
  insert: async (link) => {
    const isTaken = rows.some(
      (row) =>
        row.issuer === link.issuer && (row.subject === link.subject || row.userId === link.userId),
    );
    if (!isTaken) {
      rows.push(link);
    }
    return !isTaken;
  },
  removeOf: async (userId) => {
    const left = rows.filter((row) => row.userId !== userId);
    return rows.length - rows.splice(0, rows.length, ...left).length + left.length;
  },
});

type Standing = Readonly<{ createdAt: number; linkedAt?: number; ids?: readonly string[] }>;

/** Ann, made at `createdAt`, and a link with her id from `linkedAt`. Now it is 5000. */
const begin = async ({ createdAt, linkedAt, ids = [ann] }: Standing) => {
  const stores = memoryStores();
  const made = { name: null, organizationId: null, createdAt: epochMs(createdAt) };
  for (const id of ids) {
    await stores.users.insert({ id: id as UserId, ...made });
  }
  const old = { id: "link-1", issuer, subject: "old", userId: ann };
  const rows: SignInLink[] =
    linkedAt === undefined ? [] : [{ ...old, linkedAt: epochMs(linkedAt) }];
  const persons = createLinkedPersons({
    rules: { claim: "email", domains: null, create: null },
    links: memoryLinks(rows),
    users: stores.users,
    owners: await OwnerIndex.load(stores),
    audit: { append: async () => undefined, list: async () => ({ data: [], next_cursor: null }) },
    refusals: { record: () => undefined },
    clock: { now: () => epochMs(5000), monotonicMs: () => 5000 },
  });
  return { persons, rows, users: stores.users };
};

describe("an account that names a user by e-mail address", () => {
  const userNamed = async (...ids: string[]): Promise<string> => {
    const { persons } = await begin({ createdAt: 1000, ids });
    return (await persons.personOf(accountOf("new"), "::1")).userId;
  };

  it("is that user however an admin wrote it, and the one written the same way of several", async () => {
    assert.equal(await userNamed("Ann@Example.com"), "Ann@Example.com");
    assert.equal(await userNamed("Ann@Example.com", ann), ann);
  });

  it("is nobody where two wrote it otherwise: which is meant cannot be told", async () => {
    await assert.rejects(userNamed("Ann@Example.com", "ANN@example.com"), /you are no user/);
  });
});

describe("an account that is linked with a user", () => {
  it("stays that user, whoever else's account names her by now", async () => {
    const { persons } = await begin({ createdAt: 1000, linkedAt: 2000 });
    const known = { userId: ann, linkId: "link-1" };
    assert.deepEqual(await persons.personOf(accountOf("old"), "::1"), known);
    assert.equal(await persons.isStill(known), true);
    await assert.rejects(persons.personOf(accountOf("new"), "::1"), /belongs to another account/);
  });

  it("is not the one who got that id later", async () => {
    const { persons, rows } = await begin({ createdAt: 3000, linkedAt: 2000 });
    assert.equal(await persons.isStill({ userId: ann, linkId: "link-1" }), false);
    const { linkId } = await persons.personOf(accountOf("new"), "::1");
    assert.deepEqual(
      rows.map(({ id, subject }) => [id, subject]),
      [[linkId, "new"]],
    );
    await assert.rejects(persons.personOf(accountOf("old"), "::1"), /belongs to another account/);
  });

  it("counts from the user's beginning where another process's clock is ahead", async () => {
    const { persons } = await begin({ createdAt: 9000, linkedAt: 2000 });
    const person = await persons.personOf(accountOf("old"), "::1");
    assert.equal(await persons.isStill(person), true);
    assert.deepEqual(await persons.personOf(accountOf("old"), "::1"), person);
  });
});

describe("an account linked with a user whom another process made", () => {
  it("is that user, though this process has not heard of them yet", async () => {
    const { persons, users } = await begin({ createdAt: 1000, linkedAt: 2000, ids: [] });
    await assert.rejects(persons.personOf(accountOf("old"), "::1"), /no user of this relay/);
    await users.insert({ id: ann, name: null, organizationId: null, createdAt: epochMs(1000) });
    assert.equal((await persons.personOf(accountOf("old"), "::1")).userId, ann);
  });
});
