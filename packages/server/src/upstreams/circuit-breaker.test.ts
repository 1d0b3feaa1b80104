import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BreakerChange, CircuitBreaker } from "./circuit-breaker.ts";

const breaker = () => {
  const clock = { ms: 0 };
  const changes: BreakerChange[] = [];
  const it = new CircuitBreaker({
    now: () => clock.ms,
    onChange: (change) => changes.push(change),
  });
  const fail = (times: number) => {
    for (let n = 0; n < times; n += 1) {
      it.enter()?.failed("boom");
    }
  };
  return { clock, changes, it, fail };
};

describe("the circuit breaker", () => {
  it("opens after five consecutive failures and not after four", () => {
    const { it: breaker_, fail } = breaker();
    fail(4);
    assert.equal(breaker_.snapshot().state, "closed");
    breaker_.enter()?.succeeded();
    fail(4);
    assert.equal(breaker_.snapshot().state, "closed");
    fail(1);
    assert.equal(breaker_.snapshot().state, "open");
    assert.equal(breaker_.enter(), null);
    assert.equal(breaker_.snapshot().retryAfterMs, 30_000);
  });

  it("lets exactly one probe at a time through after the rest, and closes after two successes", () => {
    const { clock, it: breaker_, fail, changes } = breaker();
    fail(5);
    clock.ms += 30_000;
    const probe = breaker_.enter();
    assert.ok(probe);
    for (let n = 0; n < 200; n += 1) {
      assert.equal(breaker_.enter(), null);
    }
    probe.succeeded();
    assert.equal(breaker_.snapshot().state, "half_open");
    breaker_.enter()?.succeeded();
    assert.equal(breaker_.snapshot().state, "closed");
    assert.deepEqual(
      changes.map((change) => change.to),
      ["open", "half_open", "closed"],
    );
  });

  it("lets another probe through when one stays out for ten seconds", () => {
    const { clock, it: breaker_, fail } = breaker();
    fail(5);
    clock.ms += 30_000;
    assert.ok(breaker_.enter());
    clock.ms += 9_999;
    assert.equal(breaker_.enter(), null);
    clock.ms += 1;
    const second = breaker_.enter();
    assert.ok(second);
    assert.equal(breaker_.enter(), null);
    second.succeeded();
    assert.equal(breaker_.snapshot().consecutiveSuccesses, 1);
  });

  it("opens again for the whole rest when a probe fails", () => {
    const { clock, it: breaker_, fail } = breaker();
    fail(5);
    clock.ms += 30_000;
    breaker_.enter()?.failed("still down");
    assert.equal(breaker_.snapshot().state, "open");
    assert.equal(breaker_.snapshot().retryAfterMs, 30_000);
  });

  it("gives the probe's place back when its caller leaves", () => {
    const { clock, it: breaker_, fail } = breaker();
    fail(5);
    clock.ms += 30_000;
    breaker_.enter()?.withdrawn();
    assert.ok(breaker_.enter());
  });

  it("ignores the late results of calls from before it opened", () => {
    const { clock, it: breaker_, fail } = breaker();
    const old = breaker_.enter();
    fail(5);
    clock.ms += 30_000;
    const probe = breaker_.enter();
    old?.succeeded();
    assert.equal(breaker_.snapshot().consecutiveSuccesses, 0);
    assert.equal(breaker_.enter(), null);
    probe?.succeeded();
    assert.equal(breaker_.snapshot().consecutiveSuccesses, 1);
  });

  it("closes at once when reset by hand", () => {
    const { it: breaker_, fail, changes } = breaker();
    fail(5);
    breaker_.reset("an admin reset it");
    assert.equal(breaker_.snapshot().state, "closed");
    assert.equal(changes.at(-1)?.reason, "an admin reset it");
    assert.ok(breaker_.enter());
  });
});
