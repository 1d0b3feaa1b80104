/** A look at a device session's relay and token that somebody asks for: a window that comes to the front. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { createMemoryStore, DeviceSession } from "../packages/client/src/device/index.ts";
import { deadNetwork, Machine } from "./harness/device-session.ts";
import { type InsideRelay, startInside } from "./harness/inside.ts";

const hour = 3_600_000;
const minute = 60_000;

describe("a look at a device session", () => {
  let relay: InsideRelay;
  let machine: Machine;

  before(async () => {
    relay = await startInside({ env: { IP_RATE_LIMIT_MAX: "1000000" } });
  });
  after(() => relay.remove());
  beforeEach(() => {
    machine = new Machine(() => relay);
  });

  it("asks after the relay's health only, while the token is fresh", async () => {
    const session = machine.session();
    await session.start();
    machine.asked.length = 0;
    await session.check();
    assert.deepEqual(machine.paths(), ["/healthz"]);
    await session.stop();
  });

  it("tells that the relay is away, and that it is back", async () => {
    const session = machine.session();
    await session.start();
    const { network } = machine;
    machine.network = deadNetwork;
    await session.check();
    await session.check();
    machine.network = network;
    await session.check();
    assert.deepEqual(
      machine.types().filter((type) => type.endsWith("healthy")),
      ["healthy", "unhealthy", "healthy"],
    );
    await session.stop();
  });

  it("gets a token at once where the relay was away before, without waiting for the next try", async () => {
    const { network } = machine;
    machine.network = deadNetwork;
    const session = machine.session();
    await session.start();
    await machine.advance(10 * minute);
    assert.equal(session.state.kind, "offline");
    machine.network = network;
    await session.check();
    assert.equal(session.state.kind, "ready");
    await session.stop();
  });

  it("does so on a machine whose clock never stands still", async () => {
    let network = deadNetwork;
    const session = new DeviceSession({
      relayUrl: relay.url,
      environment: {},
      store: createMemoryStore(),
      fetch: (...request) => network(...request),
    });
    await session.start();
    assert.equal(session.state.kind, "offline");
    network = fetch;
    await session.check();
    assert.equal(session.state.kind, "ready");
    await session.stop();
  });

  it("renews a token that is due", async () => {
    const session = machine.session();
    const old = await session.token();
    await machine.advance(23 * hour + minute);
    await session.check();
    assert.deepEqual(machine.paths(), ["/bootstrap", "/healthz", "/refresh"]);
    assert.notEqual(await session.token(), old);
    await session.stop();
  });

  it("of many who ask at once is one look", async () => {
    const session = machine.session();
    await session.start();
    machine.asked.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => session.check()));
    assert.deepEqual(machine.paths(), ["/healthz"]);
    await session.stop();
    await assert.rejects(session.check(), /stopped/);
  });
});
