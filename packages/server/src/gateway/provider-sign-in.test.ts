import assert from "node:assert/strict";
import { test } from "node:test";
import { epochMs, type UserId } from "@claude-relay/contract";
import type { RateLimiter } from "../pipeline/rate-limiter.ts";
import type { ProviderAccount } from "../pipeline/sign-in-ports.ts";
import type { Checks, ProviderClient } from "./provider-client.ts";
import { createProviderSignIn } from "./provider-sign-in.ts";

const clock = { now: () => epochMs(1000), monotonicMs: () => 1000 };
const free = { allowed: true, limit: 1, windowMs: 1, remaining: 1, resetMs: 0, retryAfterMs: 0 };
const errand = { userCode: "BCDF-GHJK", browser: "browser" };
const account: ProviderAccount = { issuer: "https://id.example", subject: "s", claims: {} };

const setUp = (accountOf: ProviderClient["accountOf"]) => {
  const departures: Checks[] = [];
  const refused: string[] = [];
  const quiet = () => undefined;
  const failures: RateLimiter = { take: () => free, peek: () => free };
  const signIn = createProviderSignIn({
    client: {
      addressFor: async (checks) => {
        departures.push(checks);
        return `https://id.example/?state=${checks.state}`;
      },
      accountOf,
    },
    persons: {
      personOf: async () => ({ userId: "ann" as UserId, linkId: "link" }),
      isStill: async () => true,
    },
    ...{ label: "id.example", key: Buffer.alloc(32, 7), redirectUri: () => "https://relay/cb" },
    ...{ failures, clock, mostAtOnce: 2 },
    refusals: { record: ({ refusal }) => void refused.push(refusal.code) },
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet, isLevelEnabled: () => true },
  });
  /** A browser that is back. */
  const back = async () => {
    const { location, kept } = await signIn.depart(errand);
    return signIn.recognize([kept], new URL(location).searchParams);
  };
  return { signIn, back, departures, refused };
};

test("what ties an answer to a departure is the same there and back, and each time another", async () => {
  const seen: Checks[] = [];
  const { signIn, back, departures } = setUp(async (_query, checks) => {
    seen.push(checks);
    return account;
  });
  for (const one of [await back(), await back()]) {
    assert.deepEqual(await signIn.prove(one, "192.0.2.1"), { userId: "ann", linkId: "link" });
  }
  assert.deepEqual(seen, departures);
  const all = seen.flatMap(({ state, nonce, verifier }) => [state, nonce, verifier]);
  assert.equal(new Set(all).size, 6);
  assert.ok(all.every((text) => /^[A-Za-z0-9_-]{43}$/.test(text)));
});

test("only so many answers are looked into at once, and there is room again after", async () => {
  const waiting: (() => void)[] = [];
  const { signIn, back } = setUp(
    () => new Promise((resolve) => waiting.push(() => resolve(account))),
  );
  const [one, two, three] = [await back(), await back(), await back()];
  const first = [signIn.prove(one, "192.0.2.1"), signIn.prove(two, "192.0.2.2")];
  await assert.rejects(signIn.prove(three, "192.0.2.3"), { code: "rate_limited" });
  for (const go of waiting.splice(0)) {
    go();
  }
  await Promise.all(first);
  const next = signIn.prove(await back(), "192.0.2.3");
  waiting[0]?.();
  assert.equal((await next).userId, "ann");
});

test("a provider that does not answer in time is told of, and audited", async () => {
  const slow = setUp(() => Promise.reject(new DOMException("over", "TimeoutError")));
  await assert.rejects(slow.signIn.prove(await slow.back(), "192.0.2.1"), {
    code: "upstream_timeout",
    details: { retryAfterSeconds: 5 },
  });
  assert.deepEqual(slow.refused, ["upstream_timeout"]);
});
