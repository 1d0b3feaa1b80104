/** A relay that is hostile, or whose clock is wrong: what it gives has expired already. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { Machine } from "./harness/device-session.ts";
import { type InsideRelay, startInside } from "./harness/inside.ts";

const hour = 3_600_000;
const minute = 60_000;

let relay: InsideRelay;
let machine: Machine;

before(async () => {
  relay = await startInside({ env: { IP_RATE_LIMIT_MAX: "1000000" } });
});
after(() => relay.remove());
beforeEach(() => {
  machine = new Machine(() => relay);
});

const count = (path: string) => machine.paths().filter((one) => one === path).length;
const works = async (token: string) => assert.equal((await relay.ask(token)).status, 200);

describe("a device session whose relay gives tokens that have expired already", () => {
  const says = /The relay gives tokens that have expired already: its clock may be wrong\.$/;

  /** The relay's answers, whose tokens end so long after they are given. */
  const lasting =
    (milliseconds: number, withoutDate = false): typeof fetch =>
    async (...request) => {
      const response = await fetch(...request);
      const headers = new Headers(response.headers);
      if (withoutDate) {
        headers.delete("date");
      }
      if (response.status !== 200 || String(request[0]).endsWith("/healthz")) {
        return response;
      }
      headers.delete("content-length");
      const end = relay.now() + milliseconds;
      const given = JSON.parse(await response.text());
      return Response.json({ ...given, expires_at: new Date(end).toISOString() }, { headers });
    };

  for (const [what, life] of [
    ["an hour ago", -hour],
    ["just now", 0],
    ["before a request can arrive", 300],
  ] as const) {
    it(`${what} asks it less and less, and says so`, async () => {
      machine.network = lasting(life);
      const session = machine.session();
      await session.start();
      const { state } = session;
      assert.ok(state.kind === "offline" && !state.hasToken, state.kind);
      assert.match(state.message, says);
      await machine.advance(20 * minute);
      assert.equal(session.state.kind, "offline");
      assert.equal(count("/bootstrap"), 1, "its code would be used up");
      // Doubling from 1 s to 5 min, and then one in each 2.5 minutes at most.
      assert.ok(count("/refresh") >= 5 && count("/refresh") < 20, String(count("/refresh")));
      await assert.rejects(session.token(), says);
      assert.ok(!machine.types().includes("token_changed"));
      machine.network = fetch;
      await machine.advance(10 * minute);
      assert.equal(session.state.kind, "ready");
      await works(await session.token());
      assert.equal(count("/bootstrap"), 1);
    });
  }

  it("when it renews goes on with the one it has, and comes back by that", async () => {
    const session = machine.session();
    await session.start();
    const token = await session.token();
    machine.network = lasting(-hour);
    await machine.advance(23 * hour + 20 * minute);
    const { state } = session;
    assert.ok(state.kind === "offline" && state.hasToken, state.kind);
    assert.equal(await session.token(), token);
    assert.ok(count("/refresh") < 25, String(count("/refresh")));
    machine.network = fetch;
    await machine.advance(10 * minute);
    await works(await session.token());
    assert.equal(count("/bootstrap"), 1);
  });

  it("by this machine's wrong clock alone asks the relay for the time, and is well", async () => {
    machine.setClock(48 * hour);
    machine.network = lasting(24 * hour, true);
    const session = machine.session();
    await works(await session.token());
    assert.deepEqual(machine.paths(), ["/bootstrap", "/healthz"]);
    assert.equal(session.state.kind, "ready");
  });
});
