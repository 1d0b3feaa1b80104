/** `GET /admin/budgets` as a caller asks it: the budgets that bind it, and nobody else's. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { type Answer, type InsideRelay, question, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { assertRefused, badToken, forbidden, invalid } from "./harness/refused.ts";

type Row = Readonly<Record<string, unknown>>;

describe("a caller that asks for budgets", () => {
  let relay: InsideRelay;
  /** ann's two devices and her app, bob's device in the same organization, and one of nobody's. */
  let laptop: string;
  let desktop: string;
  let app: string;
  let bobs: string;
  let stray: string;

  before(async () => {
    relay = await startInside();
    await createOwners(relay, "lab", "ann");
    await relay.admin("/admin/users", { body: { id: "bob", organization_id: "lab" } });
    const owned = async (id: string, user: string): Promise<string> => {
      const token = await relay.bootstrap(id);
      const patch = { method: "PATCH", body: { user_id: user, organization_id: "lab" } };
      assert.equal((await relay.admin(`/admin/devices/${id}`, patch)).status, 200);
      return token;
    };
    laptop = await owned("anns-laptop", "ann");
    desktop = await owned("anns-desktop", "ann");
    bobs = await owned("bobs-laptop", "bob");
    stray = await relay.bootstrap("nobodys-laptop");
    app = await relay.mint({ label: "anns-app", user_id: "ann", organization_id: "lab" });
  });
  after(() => relay.remove());
  afterEach(async () => {
    for (const { id } of (await relay.admin("/admin/budgets")).body.data) {
      await relay.admin(`/admin/budgets/${id}`, { method: "DELETE" });
    }
  });

  /** A second later than the one before, so that newest first means something. */
  const set = async (budget: Row): Promise<string> => {
    relay.advance(1000);
    const { status, text, body } = await relay.admin("/admin/budgets", { body: budget });
    assert.equal(status, 201, text);
    return body.id;
  };
  const seen = async (token: string, query = ""): Promise<readonly Row[]> => {
    const answer = await relay.call(`/admin/budgets${query}`, { token });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.next_cursor, null);
    return answer.body.data;
  };
  const scopes = async (token: string, query = ""): Promise<unknown[]> =>
    (await seen(token, query)).map(({ scope }) => scope);

  it("sees its own, its user's, its organization's and the relay's, newest first", async () => {
    await set({ scope: "relay", limit_micro_usd: 4_000_000, window: "month" });
    await set({ scope: "organization", scope_id: "lab", limit_tokens: 3_000, window: "day" });
    const hours = { rolling_hours: 5 };
    await set({ scope: "user", scope_id: "ann", limit_micro_usd: 2_000_000, window: hours });
    await set({ scope: "device", scope_id: "anns-laptop", limit_tokens: 1_000, window: "total" });
    const whole = { remaining_percent: 100 };
    const shared = { limit: null, remaining: null, ...whole };
    const month = "2026-12-01T00:00:00.000Z";
    const day = "2026-11-22T00:00:00.000Z";
    assert.deepEqual(await seen(laptop), [
      {
        ...{ scope: "device", unit: "tokens", window: "total" },
        ...{ limit: 1_000, remaining: 1_000, ...whole, resets_at: null },
      },
      {
        ...{ scope: "user", unit: "micro_usd", window: hours },
        ...{ limit: 2_000_000, remaining: 2_000_000, ...whole, resets_at: null },
      },
      { scope: "organization", unit: "tokens", window: "day", ...shared, resets_at: day },
      { scope: "relay", unit: "micro_usd", window: "month", ...shared, resets_at: month },
    ]);
  });

  it("sees nothing of another's device, app, router, user, organization or session", async () => {
    await createOwners(relay, "other", "eve");
    const limit = { limit_tokens: 1, window: "day" };
    for (const [scope, scope_id] of [
      ["device", "anns-laptop"],
      ["app_key", "anns-app"],
      ["user", "ann"],
      ["user", "eve"],
      ["organization", "other"],
      ["session", "*"],
      ["session", "session-of-ann"],
    ]) {
      await set({ scope, scope_id, ...limit });
    }
    assert.deepEqual(await seen(bobs), []);
    assert.deepEqual(await seen(stray), []);
    assert.deepEqual(await scopes(desktop), ["user"]);
    assert.deepEqual(await scopes(laptop), ["device", "user"].reverse());
    assert.deepEqual(await scopes(app), ["user", "app_key"]);
  });

  it("sees a user's budget in full as one of the user's devices, and in percent as an app key", async () => {
    await set({ scope: "user", scope_id: "ann", limit_tokens: 10_000, window: "day" });
    await set({ scope: "app_key", scope_id: "anns-app", limit_tokens: 500, window: "day" });
    const amounts = async (token: string) =>
      (await seen(token)).map(({ scope, limit, remaining }) => [scope, limit, remaining]);
    assert.deepEqual(await amounts(laptop), [["user", 10_000, 10_000]]);
    assert.deepEqual(await amounts(desktop), [["user", 10_000, 10_000]]);
    assert.deepEqual(await amounts(app), [
      ["app_key", 500, 500],
      ["user", null, null],
    ]);
  });

  it("sees what is left as it is spent, and of a shared one whole percents, rounded down", async () => {
    const own = await set({
      ...{ scope: "device", scope_id: "anns-laptop", limit_tokens: 10_000, window: "day" },
    });
    await set({ scope: "relay", limit_tokens: 10_000, window: "day" });
    await relay.ask(laptop);
    const { left } = (await relay.admin(`/admin/budgets/${own}`)).body;
    assert.ok(left > 0 && left < 10_000);
    const percent = Math.floor(left / 100);
    const [shared, mine] = await seen(laptop);
    assert.deepEqual(
      [mine?.["limit"], mine?.["remaining"], mine?.["remaining_percent"]],
      [10_000, left, percent],
    );
    assert.deepEqual(
      [shared?.["limit"], shared?.["remaining"], shared?.["remaining_percent"]],
      [null, null, percent],
    );
    // Somebody else's use shows in the shared one alone.
    for (let asked = 0; asked < 10; asked += 1) {
      await relay.ask(bobs);
    }
    const [sharedAfter, mineAfter] = await seen(laptop);
    assert.equal(mineAfter?.["remaining"], left);
    assert.ok(Number(sharedAfter?.["remaining_percent"]) < percent);
  });

  it("sees nothing left, and no less, of a budget of nothing or one lowered below its use", async () => {
    await set({ scope: "relay", limit_tokens: 1_000_000, window: "day" });
    const own = await set({
      ...{ scope: "device", scope_id: "anns-laptop", limit_tokens: 10_000, window: "day" },
    });
    await relay.ask(laptop);
    await relay.admin(`/admin/budgets/${own}`, { method: "PATCH", body: { limit_tokens: 1 } });
    const rest = async () => {
      const [mine] = await seen(laptop);
      return [mine?.["limit"], mine?.["remaining"], mine?.["remaining_percent"]];
    };
    assert.deepEqual(await rest(), [1, 0, 0]);
    await relay.admin(`/admin/budgets/${own}`, { method: "PATCH", body: { limit_tokens: 0 } });
    assert.deepEqual(await rest(), [0, 0, 0]);
  });

  it("sees a session's budgets when it names the session, in percent", async () => {
    await set({ scope: "session", scope_id: "*", limit_tokens: 10_000, window: "total" });
    assert.deepEqual(await scopes(laptop), []);
    const call = (session: string): Promise<Answer> =>
      relay.call("/v1/messages", {
        token: laptop,
        headers: { "anthropic-version": "2023-06-01", "x-claude-code-session-id": session },
        body: question,
      });
    assert.equal((await call("session-1")).status, 200);
    const [used] = await seen(laptop, "?session_id=session-1");
    const [fresh] = await seen(laptop, "?session_id=session-2");
    assert.deepEqual([used?.["limit"], used?.["remaining"]], [null, null]);
    assert.ok(Number(used?.["remaining_percent"]) < 100);
    assert.equal(fresh?.["remaining_percent"], 100);
    const bad = await relay.call("/admin/budgets?session_id=a%20b", { token: laptop });
    assertRefused(bad, invalid(/^session_id: /));
  });

  it("gets the list whole, however small a page it asks for", async () => {
    for (const limit_tokens of [1, 2, 3]) {
      await set({ scope: "relay", limit_tokens, window: "day" });
    }
    assert.equal((await seen(laptop, "?limit=1")).length, 3);
  });

  it("may read the list, and still nothing else: one budget and every change take the admin token", async () => {
    const id = await set({
      ...{ scope: "device", scope_id: "nobodys-laptop", limit_tokens: 10, window: "day" },
    });
    const path = `/admin/budgets/${id}`;
    const body = { limit_tokens: 1_000 };
    for (const [method, at, sent] of [
      ["GET", path, undefined],
      ["POST", "/admin/budgets", { scope: "relay", ...body, window: "day" }],
      ["PATCH", path, body],
      ["DELETE", path, undefined],
    ] as const) {
      const answer = await relay.call(at, { method, token: stray, body: sent });
      assertRefused(answer, forbidden(/takes the admin token/));
    }
    const [only, ...others] = (await relay.admin("/admin/budgets")).body.data;
    assert.deepEqual([only.id, only.scope_id, only.left, others], [id, "nobodys-laptop", 10, []]);
  });

  it("is somebody the relay knows: others are refused", async () => {
    assertRefused(await relay.call("/admin/budgets"), badToken(/A credential is required/));
    const stranger = await relay.call("/admin/budgets", { token: "not-a-token-of-ours" });
    assertRefused(stranger, badToken());
  });
});
