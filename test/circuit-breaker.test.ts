/** The circuit breaker: a failing upstream is left alone, and callers are told at once. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { ask, askStream, type Setting, startSetting } from "./harness/anthropic.ts";
import { send, withToken } from "./harness/http.ts";
import { rowsOf } from "./harness/ledger.ts";
import { type Relay, startRelay } from "./harness/relay.ts";

const setUp = async (t: TestContext): Promise<Setting> => {
  const setting = await startSetting();
  t.after(() => setting.stop());
  return setting;
};

const statusOf = async (relay: Relay, token: string, scenario?: string, body: object = ask("hi")) =>
  (await send(relay.url, { headers: withToken(token, scenario), body })).status;

const times = async (count: number, run: () => Promise<unknown>): Promise<void> => {
  for (let done = 0; done < count; done += 1) {
    await run();
  }
};

const stateOf = async (relay: Relay): Promise<string> =>
  (await relay.admin("/admin/circuit-breaker")).body.state;

/** Closed from the start: nobody listens on that port. */
const closedPort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
};

describe("the circuit breaker", { concurrency: 4 }, () => {
  for (const scenario of ["529", "500", "503", "reset-before-headers"]) {
    it(`opens at the fifth ${scenario} in a row: the sixth call is refused without one to upstream`, async (t) => {
      const { relay, token, simulator } = await setUp(t);
      const expected = scenario === "reset-before-headers" ? 502 : Number(scenario);
      await times(4, async () => assert.equal(await statusOf(relay, token, scenario), expected));
      assert.equal(await stateOf(relay), "closed");
      assert.equal(await statusOf(relay, token, scenario), expected);
      assert.equal(await stateOf(relay), "open");

      const { requests } = simulator.counters();
      const refused = await send(relay.url, { headers: withToken(token), body: ask("hi") });
      assert.equal(refused.status, 503);
      assert.match(refused.body.toString(), /Circuit breaker is open/);
      const error = JSON.parse(refused.body.toString());
      assert.equal(error.type, "error");
      assert.equal(error.error.type, "api_error");
      assert.equal(error.request_id, refused.headers["request-id"]);
      const wait = Number(refused.headers["retry-after"]);
      assert.ok(wait >= 1 && wait <= 30, `retry-after: ${wait}`);
      assert.equal(await statusOf(relay, token, undefined, askStream("hi")), 503);
      assert.equal(simulator.counters().requests, requests, "upstream is left alone");

      const rows = await rowsOf(relay);
      assert.equal(rows.length, 7, "a row a request");
      assert.ok(rows.slice(0, 2).every((row) => row.accuracy === "free" && row.status === 503));
    });
  }

  it("opens when nobody listens where upstream should be, and bills nothing", async (t) => {
    const relay = await startRelay({ upstreamUrl: `http://127.0.0.1:${await closedPort()}` });
    t.after(() => relay.stop());
    const token = await relay.bootstrap();
    await times(5, async () => assert.equal(await statusOf(relay, token), 502));
    assert.equal(await statusOf(relay, token), 503);
    const rows = await rowsOf(relay);
    assert.equal(rows.length, 6);
    assert.ok(rows.every(({ accuracy, cost_micro_usd }) => accuracy === "free" && !cost_micro_usd));
  });

  it("opens when upstream is silent for longer than UPSTREAM_HEADERS_TIMEOUT", async (t) => {
    const setting = await startSetting({ env: { UPSTREAM_HEADERS_TIMEOUT: "100ms" } });
    t.after(() => setting.stop());
    const { relay, token } = setting;
    const statuses = await Promise.all(
      Array.from({ length: 5 }, () => statusOf(relay, token, "slow-start:600000")),
    );
    assert.deepEqual(statuses, [504, 504, 504, 504, 504]);
    assert.equal(await stateOf(relay), "open");
  });

  it("does not count 429, 400 or a caller that leaves, and a success starts the count anew", async (t) => {
    const { relay, token, simulator } = await setUp(t);
    await times(6, async () => assert.equal(await statusOf(relay, token, "429:1"), 429));
    await times(6, async () => assert.equal(await statusOf(relay, token, "400"), 400));
    await times(6, async () => {
      const left = new AbortController();
      const { requests } = simulator.counters();
      const call = fetch(`${relay.url}/v1/messages`, {
        method: "POST",
        headers: withToken(token, "slow-start:600000"),
        body: JSON.stringify(ask("hi")),
        signal: left.signal,
      });
      await simulator.until((now) => now.requests === requests + 1);
      left.abort();
      await assert.rejects(call);
      await simulator.until(({ open }) => open === 0);
    });
    await times(4, () => statusOf(relay, token, "529"));
    assert.equal(await statusOf(relay, token), 200);
    await times(4, () => statusOf(relay, token, "529"));
    assert.equal(await statusOf(relay, token), 200);
    assert.equal(await stateOf(relay), "closed");
  });

  it("is closed by an admin's reset, and every change is logged and audited", async (t) => {
    const { relay, token } = await setUp(t);
    await times(5, () => statusOf(relay, token, "529"));
    assert.equal(await statusOf(relay, token), 503);

    const device = await send(relay.url, {
      path: "/admin/circuit-breaker/reset",
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(device.status, 403, "not by a device");
    assert.equal(await stateOf(relay), "open");

    const reset = await relay.admin("/admin/circuit-breaker/reset", { method: "POST" });
    assert.equal(reset.status, 200);
    assert.equal(reset.body.state, "closed");
    assert.equal(await statusOf(relay, token), 200);

    const audit = async (action: string) =>
      (await relay.admin(`/admin/audit?action=${action}`)).body.data;
    const changes = await audit("circuit_breaker.change");
    assert.deepEqual(
      changes.map(({ outcome, actor, subject }: Record<string, string>) => [
        outcome,
        actor,
        subject,
      ]),
      [
        ["closed", "relay", "anthropic"],
        ["open", "relay", "anthropic"],
      ],
    );
    const [byHand] = await audit("circuit_breaker.reset");
    assert.equal(byHand.actor, "admin");
    assert.equal(byHand.client_ip, "127.0.0.1");
    for (const state of ["open", "closed"]) {
      await relay.logged(({ msg }) => msg === `Circuit breaker is ${state}`);
    }
  });
});
