/**
 * Whatever happens to a device in its token's last hour, in whatever order: once all is well again it is in, by
 * the sign-in it had, and nobody was warned of a theft. It came by a code that is used up, so to enroll again
 * would be to be out.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type { DeviceSession } from "../packages/client/src/device/index.ts";
import { deadNetwork, Machine } from "./harness/device-session.ts";
import { type InsideRelay, startInside } from "./harness/inside.ts";

const hour = 3_600_000;
const minute = 60_000;

let relay: InsideRelay;

before(async () => {
  relay = await startInside({ env: { BOOTSTRAP: "code", IP_RATE_LIMIT_MAX: "100000000" } });
});
after(() => relay.remove());

type Step =
  | Readonly<{ kind: "wait" | "sleep"; minutes: number }>
  | Readonly<{ kind: "set clock"; hours: number }>
  | Readonly<{ kind: "good" | "dead" | "hung" | "answers lost" }>
  | Readonly<{ kind: "kill" | "stop" | "another process" | "ask" }>;

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("wait" as const, "sleep" as const),
    minutes: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({ kind: fc.constant("set clock" as const), hours: fc.integer({ min: -50, max: 50 }) }),
  fc.record({
    kind: fc.constantFrom(
      "good" as const,
      "dead" as const,
      "hung" as const,
      "answers lost" as const,
      "kill" as const,
      "stop" as const,
      "another process" as const,
      "ask" as const,
    ),
  }),
);

/** One machine, and the sessions that live on it. */
class Device {
  readonly machine = new Machine(() => relay);
  #sessions: DeviceSession[] = [];

  async begin(enrollmentCode?: string): Promise<DeviceSession> {
    const session = this.machine.session({ enrollmentCode });
    this.#sessions.push(session);
    session.start().catch(() => undefined);
    await this.machine.advance(1_000);
    return session;
  }

  async suffer(step: Step): Promise<void> {
    const { machine } = this;
    switch (step.kind) {
      case "wait":
        return machine.advance(step.minutes * minute);
      case "sleep":
        machine.sleep(step.minutes * minute);
        return machine.advance(minute / 2);
      case "set clock":
        return machine.setClock(step.hours * hour);
      case "good":
        machine.network = fetch;
        return;
      case "dead":
        machine.network = deadNetwork;
        return;
      case "hung":
        machine.network = machine.hung;
        return;
      case "answers lost":
        machine.network = async (...request) => {
          await fetch(...request);
          return deadNetwork(...request);
        };
        return;
      case "kill":
        machine.kill();
        this.#sessions = [];
        await this.begin();
        return;
      case "stop":
        await machine.stop();
        this.#sessions = [];
        await this.begin();
        return;
      case "another process":
        await this.begin();
        return;
      case "ask":
        for (const session of this.#sessions) {
          session.token().catch(() => undefined);
        }
        return;
    }
  }

  async getWell(): Promise<readonly DeviceSession[]> {
    this.machine.network = fetch;
    await this.machine.advance(6 * minute);
    return this.#sessions;
  }
}

/** As every user of a session does: a token that the relay refuses is told, and another one asked for. */
const demandGoodToken = async (session: DeviceSession): Promise<void> => {
  const token = await session.token();
  const { status } = await relay.ask(token);
  if (status === 401) {
    session.reject(token);
    assert.equal((await relay.ask(await session.token())).status, 200);
  } else {
    assert.equal(status, 200);
  }
};

describe("a device session, whatever happens in its token's last hour,", () => {
  it("is in once all is well again, has enrolled once, and nothing looked like a theft", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const minted = await relay.admin("/admin/enrollment-codes", { body: {} });
        assert.equal(minted.status, 201, minted.text);
        const device = new Device();
        const { machine } = device;
        const first = await device.begin(minted.body.enrollment_code);
        const { deviceId } = await first.identity();
        await machine.advance(22 * hour + 55 * minute);
        machine.asked.length = 0;
        for (const one of steps) {
          await device.suffer(one);
        }
        const sessions = await device.getWell();
        for (const session of sessions) {
          assert.equal(session.state.kind, "ready");
          await demandGoodToken(session);
        }
        assert.ok(!machine.paths().includes("/bootstrap"), machine.paths().join(" "));
        const path = `/admin/audit?action=device.replay&subject=${encodeURIComponent(deviceId)}`;
        for (const { outcome } of (await relay.admin(path)).body.data) {
          assert.equal(outcome, "renewed");
        }
        await machine.stop();
      }),
      { numRuns: 40 },
    );
  });
});
