/** Budgets by their admin API: what can be set, what is refused, and how they stand. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Answer, type InsideRelay, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { assertRefused, invalid, type Refused } from "./harness/refused.ts";

const unknown: Refused = { status: 404, type: "not_found_error", says: /No budget has the id/ };

describe("budgets", () => {
  let relay: InsideRelay;
  let secret: string;
  let token: string;

  before(async () => {
    relay = await startInside();
    await createOwners(relay, "lab", "ann");
    secret = await relay.mint({ label: "anns-app", user_id: "ann" });
    token = await relay.bootstrap("budget-device");
  });
  after(() => relay.remove());

  const set = (body: Readonly<Record<string, unknown>>): Promise<Answer> =>
    relay.admin("/admin/budgets", { body });

  /** Sets a good one; gives its id. */
  const setGood = async (body: Readonly<Record<string, unknown>>): Promise<string> => {
    const answer = await set(body);
    assert.equal(answer.status, 201, answer.text);
    return answer.body.id;
  };

  const removeAll = async (): Promise<void> => {
    for (const { id } of (await relay.admin("/admin/budgets")).body.data) {
      await relay.admin(`/admin/budgets/${id}`, { method: "DELETE" });
    }
  };

  it("are set, read, changed and deleted, each change audited", async () => {
    const body = { scope: "organization", scope_id: "lab", limit_micro_usd: 5_000_000 };
    const created = await set({ ...body, window: "month" });
    assert.equal(created.status, 201, created.text);
    const { id } = created.body;
    assert.match(id, /^bud_[0-9a-f]{32}$/);
    assert.deepEqual(created.body, {
      id,
      ...body,
      limit_tokens: null,
      window: "month",
      created_at: new Date(relay.now()).toISOString(),
    });
    const path = `/admin/budgets/${id}`;
    const unspent = { limit: 5_000_000, held: 0, spent: 0, left: 5_000_000 };
    const report = { ...created.body, ...unspent, resets_at: "2026-12-01T00:00:00.000Z" };
    assert.deepEqual((await relay.admin(path)).body, report);
    assert.deepEqual((await relay.admin("/admin/budgets")).body.data, [report]);
    const changes = { limit_micro_usd: 0, window: { rolling_hours: 8760 } };
    const changed = await relay.admin(path, { method: "PATCH", body: changes });
    assert.deepEqual(changed.body, { ...created.body, ...changes });
    const removed = await relay.admin(path, { method: "DELETE" });
    assert.deepEqual(removed.body, changed.body);
    assertRefused(await relay.admin(path), unknown);
    assertRefused(await relay.admin(path, { method: "DELETE" }), unknown);
    assertRefused(await relay.admin(path, { method: "PATCH", body: changes }), unknown);
    const audit = (await relay.admin(`/admin/audit?subject=${id}`)).body.data;
    assert.deepEqual(
      audit.map(({ action, actor }: Record<string, string>) => [action, actor]),
      ["budget.delete", "budget.change", "budget.create"].map((action) => [action, "admin"]),
    );
    assert.deepEqual(audit[1].detail, { limit: 0, window: { kind: "rolling", hours: 8760 } });
  });

  it("can be set on each scope, with each window and either unit, up to 2^53 - 1", async () => {
    const scopes = {
      session: "*",
      device: "budget-device",
      app_key: "anns-app",
      user: "ann",
      organization: "lab",
    };
    for (const [scope, scope_id] of Object.entries(scopes)) {
      await setGood({ scope, scope_id, limit_tokens: Number.MAX_SAFE_INTEGER, window: "total" });
    }
    for (const window of ["total", "day", "week", "month", { rolling_hours: 1 }]) {
      const id = await setGood({ scope: "relay", limit_micro_usd: 0, window });
      const { body } = await relay.admin(`/admin/budgets/${id}`);
      assert.deepEqual([body.window, body.limit, body.left, body.scope_id], [window, 0, 0, null]);
    }
    await removeAll();
  });

  it("are refused with the field named, and nothing is kept of them", async () => {
    const good = { scope: "relay", limit_micro_usd: 1, window: "day" };
    const { limit_micro_usd: _limit, ...unlimited } = good;
    const { window: _window, ...windowless } = good;
    const refused: readonly [body: Readonly<Record<string, unknown>>, says: RegExp][] = [
      [{ ...good, limit_micro_usd: -1 }, /^limit_micro_usd: must be 0 or more/],
      [{ ...good, limit_micro_usd: 0.5 }, /^limit_micro_usd: must be a whole number/],
      [{ ...good, limit_micro_usd: 2 ** 53 }, /^limit_micro_usd: must be 9007199254740991 or less/],
      [{ ...good, limit_micro_usd: 1e300 }, /^limit_micro_usd: /],
      [{ ...good, limit_micro_usd: "1" }, /^limit_micro_usd: must be a whole number/],
      [{ ...good, limit_micro_usd: "NaN" }, /^limit_micro_usd: must be a whole number/],
      [{ ...good, limit_micro_usd: null }, /^limit_micro_usd: must be a whole number/],
      [{ ...unlimited, limit_tokens: -0.1 }, /^limit_tokens: /],
      [{ ...unlimited, limit_usd: 5 }, /^limit_usd: unknown field/],
      [unlimited, /^limit_micro_usd: field required \(or limit_tokens\)/],
      [{ ...good, limit_tokens: 1 }, /^limit_tokens: give either .* not both/],
      [windowless, /^window: field required/],
      [{ ...good, window: "year" }, /^window: must be .*"total", "day", "week", "month"/],
      [{ ...good, window: null }, /^window: /],
      [{ ...good, window: {} }, /window\.rolling_hours: field required/],
      [{ ...good, window: { rolling_hours: 0 } }, /window\.rolling_hours: must be 1 or more/],
      [{ ...good, window: { rolling_hours: 8761 } }, /window\.rolling_hours: must be 8760 or less/],
      [{ ...good, window: { rolling_hours: 1.5 } }, /window\.rolling_hours: /],
      [{ ...good, window: { rolling_hours: 1, days: 2 } }, /window\.days: unknown field/],
      [{ ...good, scope: "team" }, /^scope: must be "session", /],
      [{ ...good, scope_id: "x" }, /^scope_id: the relay has none/],
      [{ ...good, scope: "session" }, /^scope_id: field required: the session's id, or \*/],
      [{ ...good, scope: "session", scope_id: "a b" }, /^scope_id: must be a session's id/],
      [{ ...good, scope: "user" }, /^scope_id: field required/],
      [{ ...good, scope: "user", scope_id: "" }, /^scope_id: /],
      [{ ...good, scope: "user", scope_id: "*" }, /^scope_id: there is no user "\*"/],
      [{ ...good, scope: "organization", scope_id: "ann" }, /^scope_id: there is no organization/],
      [{ ...good, scope: "device", scope_id: "anns-app" }, /^scope_id: no device is called/],
      [{ ...good, scope: "app_key", scope_id: "budget-device" }, /^scope_id: no app key has/],
    ];
    for (const [body, says] of refused) {
      assertRefused(await set(body), invalid(says));
    }
    for (const text of ['{"scope":"relay","limit_micro_usd":NaN,"window":"day"}', "[]", "null"]) {
      const answer = await relay.admin("/admin/budgets", { body: text });
      assert.equal(answer.status, 400, answer.text);
    }
    const huge = '{"scope":"relay","limit_micro_usd":1e999,"window":"day"}';
    assertRefused(
      await relay.admin("/admin/budgets", { body: huge }),
      invalid(/^limit_micro_usd: /),
    );
    assert.deepEqual((await relay.admin("/admin/budgets")).body.data, []);
  });

  it("keep their unit and stay as they were when a change is refused", async () => {
    const id = await setGood({ scope: "relay", limit_micro_usd: 7, window: "day" });
    const path = `/admin/budgets/${id}`;
    const before = (await relay.admin(path)).body;
    const refused: readonly [body: unknown, says: RegExp][] = [
      [{ limit_tokens: 1, window: "week" }, /^limit_tokens: this budget counts micro-dollars/],
      [{ limit_tokens: 1, limit_micro_usd: 1 }, /^limit_tokens: give either/],
      [{ limit_micro_usd: -1, window: "week" }, /^limit_micro_usd: /],
      [{ limit_micro_usd: 1, window: "year" }, /^window: /],
      [{ scope: "user" }, /^scope: unknown field/],
      [{}, /at least one field/],
    ];
    for (const [body, says] of refused) {
      assertRefused(await relay.admin(path, { method: "PATCH", body }), invalid(says));
    }
    assert.deepEqual((await relay.admin(path)).body, before);
    await removeAll();
  });

  it("tell what was spent by each scope, and what is left", async () => {
    const limit_micro_usd = 1_000_000;
    const budgets = await Promise.all(
      [
        { scope: "relay" },
        { scope: "organization", scope_id: "lab" },
        { scope: "user", scope_id: "ann" },
        { scope: "app_key", scope_id: "anns-app" },
        { scope: "device", scope_id: "budget-device" },
      ].map((scope) => setGood({ ...scope, limit_micro_usd, window: "total" })),
    );
    await relay.ask(secret);
    await relay.ask(token);
    const cost = async (query: string): Promise<number> =>
      (await relay.admin(`/admin/usage?${query}`)).body.totals.cost_micro_usd;
    const [all, mine] = [await cost(""), await cost("app_key=anns-app")];
    assert.ok(mine > 0 && all > mine);
    const reports = await Promise.all(budgets.map((id) => relay.admin(`/admin/budgets/${id}`)));
    assert.deepEqual(
      reports.map(({ body }) => [body.spent, body.left, body.resets_at]),
      [all, mine, mine, mine, all - mine].map((spent) => [spent, limit_micro_usd - spent, null]),
    );
    await removeAll();
  });

  it("of each session stand for each session apart", async () => {
    const each = { scope: "session", scope_id: "*", limit_tokens: 10_000, window: "total" };
    const id = await setGood(each);
    await relay.call("/v1/messages", {
      token: secret,
      headers: { "anthropic-version": "2023-06-01", "x-claude-code-session-id": "session-1" },
      body: {
        model: "claude-haiku-4-5",
        max_tokens: 9,
        messages: [{ role: "user", content: "x" }],
      },
    });
    const { body } = await relay.admin(`/admin/budgets/${id}`);
    assert.deepEqual([body.limit, body.held, body.spent, body.left], [10_000, null, null, null]);
    const of = async (session: string) =>
      (await relay.admin(`/admin/budgets/${id}?session_id=${session}`)).body;
    const [used, fresh] = [await of("session-1"), await of("session-2")];
    assert.ok(used.spent > 0);
    assert.deepEqual([used.id, used.left], [id, 10_000 - used.spent]);
    assert.deepEqual([fresh.spent, fresh.left], [0, 10_000]);
    const relays = await setGood({ scope: "relay", limit_tokens: 1, window: "day" });
    const asked = await relay.admin(`/admin/budgets/${relays}?session_id=session-1`);
    assertRefused(asked, invalid(/^session_id: only a budget of each session/));
    await removeAll();
  });

  it("are as they were after a restart", async () => {
    const other = await startInside();
    const body = { scope: "relay", limit_tokens: 12, window: { rolling_hours: 3 } };
    const { id } = (await other.admin("/admin/budgets", { body })).body;
    await other.close();
    const again = await startInside({ dataDir: other.dataDir });
    try {
      const report = (await again.admin(`/admin/budgets/${id}`)).body;
      assert.deepEqual([report.limit_tokens, report.window], [12, { rolling_hours: 3 }]);
    } finally {
      await again.remove();
    }
  });
});
