/** How often a device may ask, and how often an address may fail. The clock moves only when told. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type Answer, type InsideRelay, startInside } from "./harness/inside.ts";
import { assertRefused, badToken } from "./harness/refused.ts";
import { adminToken } from "./harness/secrets.ts";

const start = async (t: TestContext, env: Record<string, string> = {}): Promise<InsideRelay> => {
  const relay = await startInside({ env });
  t.after(() => relay.remove());
  return relay;
};

const times = async (count: number, ask: () => Promise<Answer>): Promise<number[]> => {
  const statuses = [];
  for (let asked = 0; asked < count; asked += 1) {
    statuses.push((await ask()).status);
  }
  return statuses;
};

const limited = { status: 429, type: "rate_limit_error", says: /Retry in \d+ s|Please wait/ };

describe("a device", () => {
  it("makes 100 requests a minute; the 101st is refused before upstream, with an exact wait", async (t) => {
    const relay = await start(t);
    const token = await relay.bootstrap();
    const statuses = await times(100, () => relay.ask(token));
    assert.ok(statuses.every((status) => status === 200));
    const refused = await relay.ask(token);
    assertRefused(refused, limited);
    assert.equal(refused.headers.get("retry-after"), "1");
    assert.equal(refused.headers.get("anthropic-ratelimit-requests-limit"), "100");
    assert.equal(refused.headers.get("anthropic-ratelimit-requests-remaining"), "0");
    const reset = Date.parse(refused.headers.get("anthropic-ratelimit-requests-reset") ?? "");
    assert.ok(reset > relay.now() && reset <= relay.now() + 60_000);
    assert.equal(relay.simulator.counters().requests, 100);
    relay.advance(1000);
    assert.equal((await relay.ask(token)).status, 200);
  });

  it("is never told to wait longer than clients do: 60 s", async (t) => {
    const relay = await start(t, { RATE_LIMIT_MAX: "1", RATE_LIMIT_WINDOW: "1h" });
    const token = await relay.bootstrap();
    assert.equal((await relay.ask(token)).status, 200);
    assert.equal((await relay.ask(token)).headers.get("retry-after"), "60");
  });

  it("is counted over all routes and all its tokens, and apart from others", async (t) => {
    const relay = await start(t, { RATE_LIMIT_MAX: "3" });
    const token = await relay.bootstrap();
    const second = await relay.bootstrap();
    await relay.ask(token);
    await relay.call("/v1/models", { token });
    await relay.call("/v1/messages/count_tokens", { token: second, body: "{}" });
    assert.equal((await relay.ask(token)).status, 429);
    assert.equal((await relay.call("/v1/models", { token: second })).status, 429);
    assert.equal((await relay.ask(await relay.bootstrap("another-device"))).status, 200);
  });

  it("can have its own number of requests per minute, which counts at once", async (t) => {
    const relay = await start(t);
    const token = await relay.bootstrap();
    const body = { requests_per_minute: 2 };
    await relay.admin("/admin/devices/test-device-0001", { method: "PATCH", body });
    assert.deepEqual(await times(3, () => relay.ask(token)), [200, 200, 429]);
    const refused = await relay.ask(token);
    assert.equal(refused.headers.get("anthropic-ratelimit-requests-limit"), "2");
    assert.equal(refused.headers.get("retry-after"), "30");
    relay.advance(30_000);
    assert.deepEqual(await times(2, () => relay.ask(token)), [200, 429]);
  });
});

describe("an address", () => {
  it("may call /bootstrap so often a minute, and /refresh apart from it", async (t) => {
    const relay = await start(t, { IP_RATE_LIMIT_MAX: "5" });
    const token = await relay.bootstrap();
    const boot = () => relay.call("/bootstrap", { body: { device_id: "test-device-0001" } });
    assert.deepEqual(await times(5, boot), [200, 200, 200, 200, 429]);
    const refused = await boot();
    assertRefused(refused, limited);
    assert.equal(refused.headers.get("retry-after"), "12");
    const refresh = () => relay.call("/refresh", { method: "POST", token });
    assert.deepEqual(await times(6, refresh), [200, 200, 200, 200, 200, 429]);
    relay.advance(12_000);
    assert.equal((await boot()).status, 200);
    assert.equal((await refresh()).status, 200);
  });

  it("with too many bad credentials is answered 429 for the next, but good tokens pass, new ones too", async (t) => {
    const relay = await start(t, { IP_RATE_LIMIT_MAX: "5" });
    const token = await relay.bootstrap();
    const unused = await relay.bootstrap("another-device");
    assert.equal((await relay.ask(token)).status, 200);
    const guess = () => relay.ask("not-a-token");
    assert.deepEqual(await times(5, guess), [401, 401, 401, 401, 401]);
    const refused = await guess();
    assertRefused(refused, { ...limited, says: /Too many failed credentials from this address/ });
    assert.equal(refused.headers.get("retry-after"), "12");
    assert.equal((await relay.ask(token)).status, 200);
    // One broken client must not lock out its neighbours behind the same address.
    assert.equal((await relay.ask(unused)).status, 200);
    assert.equal((await guess()).status, 429);
    relay.advance(12_000);
    assert.equal((await guess()).status, 401);
  });

  it("guesses the admin token no faster than any other, and cannot lock the admin out by guessing", async (t) => {
    const relay = await start(t, { IP_RATE_LIMIT_MAX: "5" });
    const guess = (token: string) => relay.call("/admin/devices", { token });
    const wrong = [adminToken.slice(0, -1), `${adminToken}x`, `x${adminToken.slice(1)}`];
    for (const token of wrong) {
      assertRefused(await guess(token), badToken(/not the admin token/));
    }
    assert.deepEqual(await times(3, () => guess("another")), [401, 401, 429]);
    assert.equal((await guess(adminToken)).status, 200);
    assert.equal((await guess("another")).status, 429);
    relay.advance(12_000);
    assert.equal((await guess("another")).status, 401);
  });

  it("is the socket's: an invented X-Forwarded-For changes nothing", async (t) => {
    const relay = await start(t, { IP_RATE_LIMIT_MAX: "3" });
    let invented = 0;
    const guess = () => {
      invented += 1;
      const headers = { "x-forwarded-for": `203.0.113.${invented}` };
      return relay.call("/v1/models", { token: "not-a-token", headers });
    };
    assert.deepEqual(await times(4, guess), [401, 401, 401, 429]);
  });

  it("behind one trusted proxy is the last entry of X-Forwarded-For, whatever stands before it", async (t) => {
    const relay = await start(t, { IP_RATE_LIMIT_MAX: "2", TRUST_PROXY: "1" });
    const guess = (forwarded: string) => () =>
      relay.call("/v1/models", {
        token: "not-a-token",
        headers: { "x-forwarded-for": forwarded },
      });
    assert.deepEqual(await times(3, guess("198.51.100.1")), [401, 401, 429]);
    assert.deepEqual(await times(1, guess("198.51.100.2")), [401]);
    assert.deepEqual(await times(1, guess("203.0.113.77, 198.51.100.1")), [429]);
    const { body } = await relay.admin("/admin/audit?action=credential.refuse");
    assert.deepEqual(
      [...new Set(body.data.map((row: { client_ip: string }) => row.client_ip))].sort(),
      ["198.51.100.1", "198.51.100.2"],
    );
  });

  it("of IPv6 is counted by its /64", async (t) => {
    const relay = await start(t, { IP_RATE_LIMIT_MAX: "2", TRUST_PROXY: "1" });
    const guess = (address: string) =>
      relay.call("/v1/models", {
        token: "not-a-token",
        headers: { "x-forwarded-for": address },
      });
    const statuses = [];
    for (const address of [
      "2001:db8::1",
      "2001:db8:0:0:ffff::2",
      "2001:db8::3",
      "2001:db8:0:1::1",
    ]) {
      statuses.push((await guess(address)).status);
    }
    assert.deepEqual(statuses, [401, 401, 429, 401]);
  });
});
