import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type {
  DeviceSessionEvent,
  DeviceSessionListener,
  DeviceSessionState,
} from "@claude-relay/client/device";
import { FakeTime } from "../../test/harness/fake-time.ts";
import { ProxyRefreshService } from "./proxy-refresh-service.ts";

const ready: DeviceSessionState = { kind: "ready", expiresAt: 9e12, proxyBaseUrl: "http://x" };
const offline: DeviceSessionState = { kind: "offline", message: "x", retryAt: 0, hasToken: false };

/** A session whose relay is well or not, as the test says; it tells of a change only. */
const createSession = (time: FakeTime) => {
  let listener: DeviceSessionListener = () => undefined;
  let wasWell: boolean | undefined;
  const session = {
    state: ready as DeviceSessionState,
    isWell: true,
    /** When it was asked to look. */
    checks: [] as number[],
    on: (heard: DeviceSessionListener) => {
      listener = heard;
      return () => undefined;
    },
    tell: (event: DeviceSessionEvent) => listener(event),
    check: async () => {
      session.checks.push(time.clock.now());
      if (wasWell !== session.isWell) {
        wasWell = session.isWell;
        listener(wasWell ? { type: "healthy" } : { type: "unhealthy", message: "No answer." });
      }
    },
    start: () => session.check(),
    stop: async () => undefined,
  };
  return session;
};

const started = async (isWell = true) => {
  const time = new FakeTime();
  const session = createSession(time);
  session.isWell = isWell;
  let changes = 0;
  const service = new ProxyRefreshService({
    session,
    clock: time.clock,
    timers: time.timers,
    random: { bytes: () => new Uint8Array(), fraction: () => 0 },
    onChange: () => {
      changes += 1;
    },
  });
  await service.start();
  return { time, session, service, changes: () => changes };
};

/** A look that the compiler does not remember: time passes. */
const isWell = ({ outage }: ProxyRefreshService): boolean => outage === null;

/** How long was waited from one look to the next. */
const waits = ({ checks }: { checks: readonly number[] }): number[] =>
  checks.slice(1).map((at, index) => at - (checks[index] ?? 0));

describe("the refresh service", () => {
  it("has nothing to say of a relay that is well, and does not ask it again by itself", async () => {
    const { time, session, service, changes } = await started();
    await time.pass(3_600_000);
    assert.equal(service.outage, null);
    assert.equal(session.checks.length, 1);
    assert.equal(changes(), 0);
  });

  it("looks again and again at a relay that is away, less and less often, up to a minute", async () => {
    const { time, session, service } = await started(false);
    const { message, retryAt } = service.outage ?? {};
    assert.equal(message, "No answer.");
    assert.equal(retryAt, time.clock.now() + 2_000);
    await time.pass(200_000);
    assert.deepEqual(
      waits(session),
      [2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000),
    );
    assert.equal(service.outage?.retryAt, (session.checks.at(-1) ?? 0) + 60_000);
  });

  it("finds it when it is back, and begins anew the next time", async () => {
    const { time, session, service, changes } = await started(false);
    await time.pass(10_000);
    session.isWell = true;
    const before = changes();
    await time.pass(10_000);
    assert.ok(isWell(service));
    assert.equal(changes(), before + 1);
    const looks = session.checks.length;
    await time.pass(600_000);
    assert.equal(session.checks.length, looks);
    session.isWell = false;
    await service.look();
    assert.equal(service.outage?.retryAt, time.clock.now() + 2_000);
  });

  it("takes a relay that gives tokens for one that is well", async () => {
    for (const type of ["bootstrapped", "refreshed"] as const) {
      const { session, service } = await started(false);
      session.tell({ type, expiresAt: 9e12 });
      assert.equal(service.outage, null);
    }
  });

  it("leaves a session alone that has no token and asks for one by itself", async () => {
    const { time, session, service } = await started(false);
    session.state = offline;
    await time.pass(600_000);
    assert.equal(session.checks.length, 1);
    session.state = ready;
    await time.pass(60_000);
    assert.ok(session.checks.length > 1);
    assert.notEqual(service.outage, null);
  });

  it("looks when the window comes to the front, but not every time", async () => {
    const { time, session, service } = await started();
    await service.glance();
    assert.equal(session.checks.length, 1);
    await time.pass(15_001);
    await service.glance();
    await service.glance();
    assert.equal(session.checks.length, 2);
  });

  it("looks every time the window comes to the front while the relay is away", async () => {
    const { session, service } = await started(false);
    await service.glance();
    await service.glance();
    assert.equal(session.checks.length, 3);
  });

  it("does nothing more once it is stopped", async () => {
    const { time, session, service } = await started(false);
    await service.stop();
    session.tell({ type: "unhealthy", message: "No answer." });
    await time.pass(600_000);
    assert.equal(session.checks.length, 1);
  });
});
