import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { epochMs, type UserId } from "@claude-relay/contract";
import type { RateLimiter } from "../pipeline/rate-limiter.ts";
import { hashPassword } from "./password-hash.ts";
import { createPersonSignIn } from "./person-sign-in.ts";

const ann = "ann" as UserId;
const password = "correct horse battery";
let hash = "";
before(async () => {
  hash = await hashPassword(password);
});

/** Counts, and lets so many pass. */
const counter = (max: number): RateLimiter => {
  const used = new Map<string, number>();
  const look = (key: string, more: number) => {
    const count = used.get(key) ?? 0;
    used.set(key, count + more);
    const whole = { limit: max, windowMs: 1, remaining: max - count, resetMs: 1 };
    return { ...whole, allowed: count < max, retryAfterMs: 7_000 };
  };
  return { take: (key) => look(key, 1), peek: (key) => look(key, 0) };
};

const setUp = (most = { account: 100, place: 100, both: 100, waiting: 32 }) => {
  const asked: string[] = [];
  const persons = createPersonSignIn({
    passwords: {
      get: async (userId) => {
        asked.push(userId);
        return userId === "" ? null : { userId, hash, changedAt: epochMs(0) };
      },
    },
    isUser: (id) => id === ann,
    limits: {
      byAccount: counter(most.account),
      byPlace: counter(most.place),
      byAccountAndPlace: counter(most.both),
    },
    placeOf: (address) => address,
    mostWaiting: most.waiting,
  });
  const prove = (name: string, words: string, clientIp = "192.0.2.1") =>
    persons.prove({ name, password: words, clientIp }).catch((error) => error.code);
  return { asked, prove };
};

describe("signing in with a password", () => {
  it("gives the user for the right one, and the same refusal for all else", async () => {
    const { prove } = setUp();
    assert.equal(await prove("ann", password), ann);
    assert.equal(await prove("ann", "wrong"), "forbidden");
    assert.equal(await prove("bob", password), "forbidden");
    assert.equal(await prove("ann", "x".repeat(2000)), "forbidden");
  });

  it("does the same work for a name that nobody has", async () => {
    const { asked, prove } = setUp();
    await prove("bob\u0000", "wrong");
    assert.deepEqual(asked, [""]);
  });

  it("counts failures by account from anywhere, and by address over all accounts", async () => {
    const byAccount = setUp({ account: 2, place: 100, both: 100, waiting: 32 });
    assert.equal(await byAccount.prove("ann", "wrong", "192.0.2.1"), "forbidden");
    assert.equal(await byAccount.prove("ann", "wrong", "192.0.2.2"), "forbidden");
    assert.equal(await byAccount.prove("ann", password, "192.0.2.3"), "rate_limited");
    const byPlace = setUp({ account: 100, place: 2, both: 100, waiting: 32 });
    assert.equal(await byPlace.prove("bob", "wrong"), "forbidden");
    assert.equal(await byPlace.prove("eve", "wrong"), "forbidden");
    assert.equal(await byPlace.prove("ann", password), "rate_limited");
    assert.equal(await byPlace.prove("ann", password, "192.0.2.9"), ann);
  });

  it("counts no right one", async () => {
    const { prove } = setUp({ account: 1, place: 1, both: 1, waiting: 32 });
    assert.equal(await prove("ann", password), ann);
    assert.equal(await prove("ann", password), ann);
  });

  it("lets only so many wait", async () => {
    const { prove } = setUp({ account: 100, place: 100, both: 100, waiting: 2 });
    const all = await Promise.all([1, 2, 3].map(() => prove("ann", password)));
    assert.deepEqual(all, [ann, ann, "rate_limited"]);
  });
});
