/** Every refusal is in the audit log, and nobody can fill the disk by being refused. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
type Row = any;

const device = "test-device-0001";

const start = async (t: TestContext, env: Record<string, string> = {}): Promise<InsideRelay> => {
  const relay = await startInside({ env });
  t.after(() => relay.remove());
  return relay;
};

const rows = async (relay: InsideRelay, action: string): Promise<Row[]> =>
  (await relay.admin(`/admin/audit?action=${action}&limit=1000`)).body.data.reverse();

const told = ({ actor, subject, outcome, client_ip }: Row): string =>
  `${actor} ${subject} ${outcome} ${client_ip}`;

const count = ({ detail }: Row): number => detail.count ?? 1;
const sum = (all: Row[]): number => all.reduce((total, row) => total + count(row), 0);

const times = async (many: number, ask: () => Promise<unknown>): Promise<void> => {
  for (let asked = 0; asked < many; asked += 1) {
    await ask();
  }
};

/** Waits for rows that the relay writes of itself, a moment after their time. */
const until = async (isThere: () => Promise<boolean>): Promise<void> => {
  while (!(await isThere())) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe("a refusal is an audit row", () => {
  it("of a device at an admin's route, and of one that asks for another's usage", async (t) => {
    const relay = await start(t);
    const token = await relay.bootstrap();
    await relay.call("/admin/audit", { token });
    await relay.call(`/admin/devices/${device}`, { method: "PATCH", token, body: {} });
    await relay.call("/admin/usage?device=someone-else", { token });
    await relay.call("/admin/usage", { token });
    await relay.call("/admin/usage?group_by=moon", { token });
    const seen = await rows(relay, "admin.refuse");
    assert.deepEqual(seen.map(told), [
      `device:${device} GET /admin/audit forbidden 127.0.0.1`,
      `device:${device} PATCH /admin/devices/:id forbidden 127.0.0.1`,
      `device:${device} GET /admin/usage forbidden 127.0.0.1`,
    ]);
    assert.match(seen[0].detail.reason, /takes the admin token/);
    assert.match(seen[2].detail.reason, /only its own usage/);
  });

  it("of an address that asks /bootstrap or /refresh too often", async (t) => {
    const relay = await start(t, { IP_RATE_LIMIT_MAX: "1" });
    const token = await relay.bootstrap();
    await relay.call("/bootstrap", { body: { device_id: device } });
    await times(2, () => relay.call("/refresh", { method: "POST", token }));
    for (const action of ["device.bootstrap", "device.refresh"]) {
      const [good, refused, ...more] = await rows(relay, action);
      assert.equal(good.outcome, "ok");
      assert.equal(told(refused), "unknown null rate_limited 127.0.0.1");
      assert.match(refused.detail.reason, /Too many requests from this address/);
      assert.deepEqual(more, []);
    }
  });

  it("of a model that is denied, in the body and in the path", async (t) => {
    const relay = await start(t, { ALLOWED_MODELS: "claude-haiku-*" });
    const token = await relay.bootstrap();
    const denied = await relay.ask(token, { model: "claude-opus-4-5" });
    await relay.call("/v1/models/claude-opus-4-5", { token });
    await relay.ask(token);
    await relay.ask(token, { max_tokens: undefined });
    const seen = await rows(relay, "request.refuse");
    assert.deepEqual(seen.map(told), [
      `device:${device} null model_denied 127.0.0.1`,
      `device:${device} null model_denied 127.0.0.1`,
    ]);
    assert.match(seen[0].detail.reason, /^model: "claude-opus-4-5" is not allowed/);
    assert.equal(seen[0].detail.request_id, denied.body.request_id);
  });

  it("of a device over its limit", async (t) => {
    const relay = await start(t, { RATE_LIMIT_MAX: "1" });
    const token = await relay.bootstrap();
    await times(2, () => relay.ask(token));
    const seen = await rows(relay, "request.refuse");
    assert.deepEqual(seen.map(told), [`device:${device} null rate_limited 127.0.0.1`]);
  });

  it("of an address that failed too often with credentials, the admin's among them", async (t) => {
    const relay = await start(t, { IP_RATE_LIMIT_MAX: "1" });
    await relay.call("/admin/devices", { token: "not-the-admin-token" });
    await relay.ask("not-a-token");
    const seen = await rows(relay, "credential.refuse");
    assert.deepEqual(seen.map(told), [
      "unknown null credential_invalid 127.0.0.1",
      "unknown null rate_limited 127.0.0.1",
    ]);
  });
});

describe("a flood of refusals", () => {
  it("is a handful of rows a minute, the last of which counts the rest", async (t) => {
    const relay = await start(t, { ALLOWED_MODELS: "claude-haiku-*", RATE_LIMIT_MAX: "200" });
    const token = await relay.bootstrap();
    const statuses: number[] = [];
    await times(260, async () => {
      statuses.push((await relay.call("/v1/models/claude-opus-4-5", { token })).status);
    });
    const answered = (status: number) => statuses.filter((one) => one === status).length;
    const first = await rows(relay, "request.refuse");
    assert.deepEqual(
      first.map((row) => `${row.outcome} ${count(row)}`),
      [...Array(5).fill("model_denied 1"), ...Array(5).fill("rate_limited 1")],
    );
    relay.advance(60_000);
    await until(async () => (await rows(relay, "request.refuse")).length === 12);
    const all = await rows(relay, "request.refuse");
    const of = (outcome: string) => all.filter((row) => row.outcome === outcome);
    assert.equal(sum(of("model_denied")), answered(400));
    assert.equal(sum(of("rate_limited")), answered(429));
    assert.equal(answered(400) + answered(429), 260);
  });

  it("is counted to the last when the relay stops", async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    const relay = await startInside({ dataDir });
    const token = await relay.bootstrap();
    await times(20, () => relay.call("/admin/audit", { token }));
    await relay.close();
    const again = await startInside({ dataDir });
    t.after(() => again.close());
    const seen = await rows(again, "admin.refuse");
    assert.deepEqual(seen.map(count), [1, 1, 1, 1, 1, 15]);
  });

  it("of expired tokens, which no limit stops, makes no more rows either", async (t) => {
    const relay = await start(t);
    const token = await relay.bootstrap();
    relay.advance(25 * 3_600_000);
    await times(50, () => relay.ask(token));
    assert.equal((await rows(relay, "credential.refuse")).length, 5);
  });
});
