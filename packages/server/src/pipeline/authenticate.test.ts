import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { describe, it } from "node:test";
import { createAuthenticate, type Identify } from "./authenticate.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { Refusal } from "./refusal.ts";
import { caller } from "./test-setup.ts";

const setup = (failuresLeft: number) => {
  const examined: string[] = [];
  const state = { left: failuresLeft };
  const decision = () => ({
    allowed: state.left > 0,
    limit: 1,
    windowMs: 60_000,
    remaining: state.left,
    resetMs: 0,
    retryAfterMs: 2500,
  });
  const failures: RateLimiter = {
    peek: decision,
    take: () => {
      state.left -= 1;
      return decision();
    },
  };
  const identify: Identify = {
    known: (credential) => (credential === "known" ? caller : null),
    verify: async (credential) => {
      examined.push(credential);
      if (credential === "expired") {
        throw new Refusal("credential_expired", "expired");
      }
      if (credential !== "good") {
        throw new Refusal("credential_invalid", "bad");
      }
      return caller;
    },
  };
  const refused: string[] = [];
  const authenticate = createAuthenticate({
    identify,
    failures,
    onRefused: ({ code }, ip) => refused.push(`${code} ${ip}`),
  });
  return {
    state,
    examined,
    refused,
    withHeaders: (headers: IncomingHttpHeaders) => authenticate(headers, "1.2.3.4"),
    authenticate: (token: string) => authenticate({ authorization: `Bearer ${token}` }, "1.2.3.4"),
  };
};

describe("authenticate", () => {
  it("answers at once, without a promise, for a token known to be good", () => {
    assert.equal(setup(1).authenticate("known"), caller);
  });

  it("examines others, and counts only failures", async () => {
    const { authenticate, state } = setup(2);
    assert.equal(await authenticate("good"), caller);
    assert.equal(state.left, 2);
    await assert.rejects(async () => authenticate("bad"), /bad/);
    assert.equal(state.left, 1);
  });

  it("tells of every credential it turns down, missing and contradictory ones included", async () => {
    const { authenticate, withHeaders, refused, state } = setup(9);
    await assert.rejects(async () => authenticate("bad"));
    await assert.rejects(async () => withHeaders({}));
    await assert.rejects(async () => withHeaders({ authorization: "Bearer a", "x-api-key": "b" }));
    assert.deepEqual(refused, Array(3).fill("credential_invalid 1.2.3.4"));
    assert.equal(state.left, 6);
  });

  it("answers 429 for one more bad credential from an address that failed too often, and audits that", async () => {
    const { authenticate, refused } = setup(0);
    await assert.rejects(
      async () => authenticate("bad"),
      (error: Refusal) => error.code === "rate_limited" && error.details.retryAfterSeconds === 3,
    );
    assert.deepEqual(refused, ["rate_limited 1.2.3.4"]);
  });

  it("never locks a good credential out, known or not, whatever its neighbours do", async () => {
    const { authenticate } = setup(0);
    assert.equal(authenticate("known"), caller);
    assert.equal(await authenticate("good"), caller);
  });

  it("tells a client that its token ran out however often it asks", async () => {
    const { authenticate, state } = setup(0);
    await assert.rejects(
      async () => authenticate("expired"),
      (error: Refusal) => error.code === "credential_expired",
    );
    assert.equal(state.left, 0);
  });
});
