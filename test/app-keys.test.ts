/** App keys, from the mint to the last refusal, as an operator and an app see them. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it, type TestContext } from "node:test";
import {
  type Answer,
  type InsideOptions,
  type InsideRelay,
  startInside,
} from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import {
  assertAppRefused,
  assertRefused,
  assertUpstreamUnasked,
  badToken,
  forbidden,
  invalid,
} from "./harness/refused.ts";
import { startRelay } from "./harness/relay.ts";
import { adminToken } from "./harness/secrets.ts";
import { keptBy } from "./harness/stores.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const page = {
  status: 200,
  finalUrl: "https://example.com/",
  truncated: false,
  html: "<p>Hello</p>",
  contentType: "text/html",
};

const start = async (
  t: TestContext,
  env: Record<string, string> = {},
  more: InsideOptions = {},
): Promise<InsideRelay> => {
  const relay = await startInside({ env, fetchPage: async () => page, ...more });
  t.after(() => relay.remove());
  return relay;
};

const complete = (relay: InsideRelay, token: string, more: object = {}): Promise<Answer> =>
  relay.call("/v1/complete", { token, body: { prompt: "Say hello.", ...more } });

const conflict = (says: RegExp) =>
  ({ status: 409, type: "invalid_request_error", says, retry: "false" }) as const;
const notFound = { status: 404, type: "not_found_error", says: /No app key has the label/ };
const unknownKey = badToken(/unknown, replaced or revoked/);

describe("an admin", () => {
  let relay: InsideRelay;
  before(async () => {
    relay = await startInside();
  });
  after(() => relay.remove());
  afterEach(async () => {
    const { body } = await relay.admin("/admin/keys");
    for (const { label } of body.data) {
      await relay.admin(`/admin/keys/${label}`, { method: "DELETE" });
    }
  });

  it("mints a key: its secret once, its policy as the relay has it", async () => {
    const minted = await relay.admin("/admin/keys", { body: { label: "plain" } });
    assert.equal(minted.status, 201);
    const { secret, ...shown } = minted.body;
    assert.match(secret, /^crk_[0-9A-Za-z]{49}$/);
    assert.deepEqual(shown, {
      label: "plain",
      status: "active",
      created_at: new Date(relay.now()).toISOString(),
      expires_at: null,
      revoked_at: null,
      last_used_at: null,
      rotated_at: null,
      previous_secret_valid_until: null,
      models: null,
      requests_per_minute: null,
      requests_per_day: null,
      concurrency: null,
      doors: null,
      user_id: null,
      organization_id: null,
    });
    assert.deepEqual((await relay.admin("/admin/keys/plain")).body, shown);
    const list = await relay.admin("/admin/keys?limit=1");
    assert.deepEqual(list.body.data, [shown]);
    assert.ok(!list.text.includes(secret));
  });

  it("mints one with every field, changes some and clears some", async () => {
    await createOwners(relay, "o", "u");
    const policy = {
      models: ["claude-haiku-*", "opus"],
      requests_per_minute: 3,
      requests_per_day: 4,
      concurrency: 5,
      doors: ["complete", "fetch"],
      user_id: "u",
      organization_id: "o",
    };
    const minted = await relay.admin("/admin/keys", {
      body: { label: "full", expires_in_hours: 1.5, ...policy },
    });
    const { secret, ...shown } = minted.body;
    const expires_at = new Date(relay.now() + 5_400_000).toISOString();
    assert.deepEqual(shown, { ...shown, ...policy, expires_at });
    const changed = await relay.admin("/admin/keys/full", {
      method: "PATCH",
      body: { models: null, requests_per_day: 9, doors: [], expires_at: null },
    });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(changed.body, {
      ...shown,
      models: null,
      requests_per_day: 9,
      doors: [],
      expires_at: null,
    });
    assert.deepEqual((await relay.admin("/admin/keys/full")).body, changed.body);
  });

  it("is told what is wrong with a request, by field", async () => {
    const mint: [unknown, RegExp][] = [
      [{}, /label/],
      [{ label: "" }, /label/],
      [{ label: ".hidden" }, /label/],
      [{ label: "a/b" }, /label/],
      [{ label: "ä" }, /label/],
      [{ label: "x".repeat(65) }, /label/],
      [{ label: "a", requests_per_day: 0 }, /requests_per_day/],
      [{ label: "a", requests_per_minute: 1.5 }, /requests_per_minute/],
      [{ label: "a", concurrency: "2" }, /concurrency/],
      [{ label: "a", doors: ["admin"] }, /doors/],
      [{ label: "a", models: ["claude-*-x"] }, /models/],
      [{ label: "a", expires_in_hours: 0 }, /expires_in_hours/],
      [{ label: "a", expires_in_hours: 1e300 }, /expires_in_hours/],
      [{ label: "a", secret: "crk_mine" }, /secret/],
      ['{"label":"a","__proto__":{"models":null}}', /__proto__/],
      ["[]", /object/],
      [undefined, /./],
    ];
    for (const [body, says] of mint) {
      assertRefused(await relay.admin("/admin/keys", { method: "POST", body }), invalid(says));
    }
    await relay.mint({ label: "a" });
    const change: [unknown, RegExp][] = [
      [{}, /./],
      [{ label: "b" }, /label/],
      [{ expires_at: "tomorrow" }, /expires_at/],
      [{ expires_in_hours: 1 }, /expires_in_hours/],
    ];
    for (const [body, says] of change) {
      assertRefused(await relay.admin("/admin/keys/a", { method: "PATCH", body }), invalid(says));
    }
    for (const grace_seconds of [-1, 604_801, "1", 0.5]) {
      const body = { grace_seconds };
      assertRefused(await relay.admin("/admin/keys/a/rotate", { body }), invalid(/grace_seconds/));
    }
  });

  it("cannot mint a label in use, nor touch one that is unknown or revoked", async () => {
    await relay.mint({ label: "taken" });
    assertRefused(
      await relay.admin("/admin/keys", { body: { label: "taken" } }),
      conflict(/"taken" exists/),
    );
    for (const label of ["nobody", "__proto__", "%2e%2e%2fdevices", "constructor"]) {
      const path = `/admin/keys/${label}`;
      for (const answer of [
        await relay.admin(path),
        await relay.admin(path, { method: "PATCH", body: { requests_per_day: 1 } }),
        await relay.admin(path, { method: "DELETE" }),
        await relay.admin(`${path}/rotate`, { body: {} }),
      ]) {
        assertRefused(answer, notFound);
      }
    }
    await relay.admin("/admin/keys/taken", { method: "DELETE" });
    const gone = await relay.admin("/admin/keys/taken", {
      method: "PATCH",
      body: { requests_per_day: 1 },
    });
    assertRefused(gone, conflict(/revoked/));
    assertRefused(await relay.admin("/admin/keys/taken/rotate", { body: {} }), conflict(/revoked/));
  });

  it("rotates with an hour's grace unless told otherwise, with or without a body", async () => {
    await relay.mint({ label: "turning" });
    for (const body of [{}, undefined]) {
      const rotated = await relay.admin("/admin/keys/turning/rotate", { method: "POST", body });
      assert.equal(rotated.status, 200, rotated.text);
      assert.equal(
        rotated.body.previous_secret_valid_until,
        new Date(relay.now() + 3_600_000).toISOString(),
      );
      assert.match(rotated.body.secret, /^crk_/);
    }
    relay.advance(3_600_000);
    const { body } = await relay.admin("/admin/keys/turning");
    assert.equal(body.previous_secret_valid_until, null);
  });

  it("alone may: neither a device, nor a key of any kind", async () => {
    const device = await relay.bootstrap();
    const key = await relay.mint({ label: "ambitious" });
    for (const token of [device, key]) {
      for (const [path, method] of [
        ["/admin/keys", "POST"],
        ["/admin/keys", "GET"],
        ["/admin/keys/ambitious", "GET"],
        ["/admin/keys/ambitious", "PATCH"],
        ["/admin/keys/ambitious", "DELETE"],
        ["/admin/keys/ambitious/rotate", "POST"],
      ] as const) {
        const body = method === "POST" || method === "PATCH" ? { label: "x" } : undefined;
        const answer = await relay.call(path, { token, method, body });
        assertRefused(answer, forbidden(/admin token/));
      }
    }
    assert.equal((await relay.admin("/admin/keys/ambitious")).body.status, "active");
  });

  it("finds every act in the audit log, and no secret in it", async () => {
    const secret = await relay.mint({ label: "watched" });
    await relay.admin("/admin/keys/watched", { method: "PATCH", body: { requests_per_day: 5 } });
    const rotated = await relay.admin("/admin/keys/watched/rotate", { body: { grace_seconds: 9 } });
    await relay.admin("/admin/keys/watched", { method: "DELETE" });
    const { body, text } = await relay.admin("/admin/audit?limit=1000");
    const acts = body.data
      .filter(({ subject }: { subject: string }) => subject === "watched")
      .map(({ action }: { action: string }) => action);
    assert.deepEqual(acts, ["app_key.revoke", "app_key.rotate", "app_key.change", "app_key.mint"]);
    assert.ok(!text.includes(secret.slice(4)) && !text.includes(rotated.body.secret.slice(4)));
  });
});

describe("an app key", () => {
  it("opens the apps' doors and Anthropic's API, in either header", async (t) => {
    const relay = await start(t);
    const key = await relay.mint();
    const body = { prompt: "Say hello." };
    for (const headers of [
      { authorization: `Bearer ${key}` },
      { authorization: `bearer ${key}` },
      { "x-api-key": key },
      { "x-api-key": `sk-ant-proxy-${key}` },
    ]) {
      assert.equal((await relay.call("/v1/complete", { headers, body })).status, 200);
    }
    assert.equal((await relay.ask(key)).status, 200);
    assert.equal((await relay.call("/v1/models", { token: key })).status, 200);
    const fetched = await relay.call("/v1/fetch", { token: key, body: { url: "https://a.test/" } });
    assert.equal(fetched.status, 200);
  });

  it("that is wrong in any way is a 401 that clients do not repeat, and reaches nothing", async (t) => {
    const relay = await start(t, { IP_RATE_LIMIT_MAX: "1000" });
    const key = await relay.mint();
    const mistyped = badToken(/mistyped or cut short/);
    const last = key.at(-1) === "x" ? "y" : "x";
    const wrong: [string, ReturnType<typeof badToken>][] = [
      [key.slice(0, -1), mistyped],
      [key.slice(0, -1) + last, mistyped],
      [`${key}0`, mistyped],
      ["crk_", mistyped],
      [`CRK_${key.slice(4)}`, badToken(/./)],
      [`crk_${"0".repeat(49)}`, badToken(/./)],
      [key.slice(4), badToken(/./)],
    ];
    for (const path of ["/v1/complete", "/v1/fetch"]) {
      for (const [token, refused] of wrong) {
        assertAppRefused(await relay.call(path, { token, body: { prompt: "x" } }), refused);
      }
      assertAppRefused(await relay.call(path, { body: {} }), {
        status: 401,
        type: "authentication_error",
        says: /./,
        ...(await retryOfNoCredential(relay)),
      });
    }
    assertRefused(await relay.ask(key.slice(0, -1)), mistyped);
    assertUpstreamUnasked(relay);
  });

  it("mints no device's token and is none", async (t) => {
    const relay = await start(t);
    const key = await relay.mint();
    const answer = await relay.call("/refresh", { method: "POST", token: key });
    assert.equal(answer.status, 401, answer.text);
  });

  it("sees its own use and nobody else's, even of a device of the same name", async (t) => {
    const relay = await start(t);
    const mine = await relay.mint({ label: "same-name-1" });
    const other = await relay.mint({ label: "other" });
    const device = await relay.bootstrap("same-name-1");
    await complete(relay, mine);
    await complete(relay, other);
    await relay.ask(device);
    const own = await relay.call("/admin/usage/requests", { token: mine });
    assert.equal(own.status, 200, own.text);
    const seen = own.body.data.map((row: Record<string, unknown>) => [
      row["caller_kind"],
      row["app_key"],
      row["operation"],
    ]);
    assert.deepEqual(seen, [["app_key", "same-name-1", "complete"]]);
  });

  it("counts as used, at once and after a restart", async (t) => {
    const dataDir = tempFolder(t);
    const relay = await startInside({ dataDir });
    const key = await relay.mint();
    relay.advance(5000);
    await complete(relay, key);
    const used = new Date(relay.now()).toISOString();
    assert.equal((await relay.admin("/admin/keys/my-app")).body.last_used_at, used);
    await relay.close();
    const again = await startInside({ dataDir });
    t.after(() => again.close());
    assert.equal((await again.admin("/admin/keys/my-app")).body.last_used_at, used);
  });
});

/** What the Messages door says of no credential at all is what the apps' doors say of it. */
const retryOfNoCredential = async (relay: InsideRelay) => {
  const answer = await relay.call("/v1/messages", { body: {} });
  const retry = answer.headers.get("x-should-retry");
  return retry === "false" ? { retry: "false" as const } : {};
};

describe("revocation and change reach the running server at once", () => {
  it("a revoked key opens nothing from the next request on; its running call ends in peace", async (t) => {
    const relay = await start(t);
    const key = await relay.mint();
    const running = relay.call("/v1/complete", {
      token: key,
      body: { prompt: "x", model: "claude-sim-slow-first-event:150" },
    });
    await relay.simulator.until(({ openStreams }) => openStreams === 1);
    const revoked = await relay.admin("/admin/keys/my-app", { method: "DELETE" });
    assert.deepEqual(
      [revoked.body.status, revoked.body.revoked_at],
      ["revoked", new Date(relay.now()).toISOString()],
    );
    assertAppRefused(await complete(relay, key), unknownKey);
    assertAppRefused(await relay.call("/v1/fetch", { token: key, body: {} }), unknownKey);
    assertRefused(await relay.ask(key), unknownKey);
    assert.equal((await running).status, 200);
  });

  it("a revoked label minted again is another key", async (t) => {
    const relay = await start(t);
    const old = await relay.mint({ requests_per_day: 1, doors: ["fetch"] });
    await relay.admin("/admin/keys/my-app", { method: "DELETE" });
    relay.advance(1);
    const anew = await relay.mint();
    assert.equal((await complete(relay, anew)).status, 200);
    assertAppRefused(await complete(relay, old), unknownKey);
    const { body } = await relay.admin("/admin/keys");
    assert.deepEqual(
      body.data.map(({ label, status }: Record<string, unknown>) => [label, status]),
      [["my-app", "active"]],
    );
  });

  it("a rotated key's old secret works for its grace and not longer", async (t) => {
    const relay = await start(t);
    const old = await relay.mint();
    const rotated = await relay.admin("/admin/keys/my-app/rotate", { body: { grace_seconds: 60 } });
    const { secret } = rotated.body;
    assert.equal((await complete(relay, old)).status, 200);
    relay.advance(60_000);
    assertAppRefused(await complete(relay, old), unknownKey);
    assert.equal((await complete(relay, secret)).status, 200);
    const last = await relay.admin("/admin/keys/my-app/rotate", { body: { grace_seconds: 0 } });
    assertAppRefused(await complete(relay, secret), unknownKey);
    assert.equal((await complete(relay, last.body.secret)).status, 200);
  });

  it("an expired key says so, is shown so, and lives again when that is changed", async (t) => {
    const relay = await start(t);
    const key = await relay.mint({ expires_in_hours: 1 });
    relay.advance(3_600_000 - 1);
    assert.equal((await complete(relay, key)).status, 200);
    relay.advance(1);
    assertAppRefused(await complete(relay, key), badToken(/has expired/));
    assert.equal((await relay.admin("/admin/keys/my-app")).body.status, "expired");
    assertRefused(
      await relay.admin("/admin/keys/my-app/rotate", { body: {} }),
      conflict(/expires_at/),
    );
    const body = { expires_at: new Date(relay.now() + 1000).toISOString() };
    await relay.admin("/admin/keys/my-app", { method: "PATCH", body });
    assert.equal((await complete(relay, key)).status, 200);
  });

  it("doors: a key is let in where its policy says, and told where it is not", async (t) => {
    const relay = await start(t);
    const key = await relay.mint({ doors: ["complete"] });
    const change = (doors: string[] | null) =>
      relay.admin("/admin/keys/my-app", { method: "PATCH", body: { doors } });
    const fetchPage = () =>
      relay.call("/v1/fetch", { token: key, body: { url: "https://a.test/" } });
    const count = () =>
      relay.call("/v1/messages/count_tokens", {
        token: key,
        body: { model: "claude-haiku-4-5", messages: [] },
      });
    assert.equal((await complete(relay, key)).status, 200);
    assertAppRefused(await fetchPage(), forbidden(/not for \/v1\/fetch/));
    assertRefused(await relay.ask(key), forbidden(/not for the Messages API/));
    assertRefused(await count(), forbidden(/not for the Messages API/));
    assert.equal((await relay.call("/v1/models", { token: key })).status, 200);
    await change(["fetch", "messages"]);
    relay.simulator.reset();
    assertAppRefused(await complete(relay, key), forbidden(/not for \/v1\/complete/));
    assertUpstreamUnasked(relay);
    assert.deepEqual([(await fetchPage()).status, (await relay.ask(key)).status], [200, 200]);
    await change([]);
    assert.deepEqual([(await fetchPage()).status, (await relay.ask(key)).status], [403, 403]);
    await change(null);
    assert.equal((await complete(relay, key)).status, 200);
  });

  it("models: aliases and full ids, the relay's list and the key's own", async (t) => {
    const relay = await start(t, { ALLOWED_MODELS: "opus,haiku" });
    const key = await relay.mint();
    const denied = invalid(/not allowed on this (relay|app key)/);
    const status = async (model: string) => (await complete(relay, key, { model })).status;
    for (const model of ["opus", "haiku", "claude-opus-5-5", "claude-haiku-5-5"]) {
      assert.equal(await status(model), 200, model);
    }
    relay.simulator.reset();
    for (const model of ["sonnet", "claude-sonnet-5-5", "claude-opus-4-1", "OPUS", "toString"]) {
      assertAppRefused(await complete(relay, key, { model }), denied);
    }
    // On Anthropic's API an alias is no model.
    assertRefused(await relay.ask(key, { model: "haiku" }), denied);
    assertUpstreamUnasked(relay);
    const body = { models: ["haiku"] };
    await relay.admin("/admin/keys/my-app", { method: "PATCH", body });
    assert.deepEqual([await status("haiku"), await status("opus")], [200, 400]);
    assertAppRefused(await complete(relay, key), denied);
    await relay.admin("/admin/keys/my-app", { method: "PATCH", body: { models: [] } });
    assert.equal(await status("haiku"), 400);
  });
});

describe("a key's limits", () => {
  const limited = (says: RegExp, retry?: "false") => ({
    status: 429,
    type: "rate_limit_error",
    says,
    ...(retry && { retry }),
  });

  it("a minute: PER_KEY_RPM, or its own, which counts at once", async (t) => {
    const relay = await start(t, { PER_KEY_RPM: "2" });
    const key = await relay.mint();
    const other = await relay.mint({ label: "other" });
    await complete(relay, key);
    await relay.ask(key);
    const refused = await complete(relay, key);
    assertAppRefused(refused, limited(/2 per 60 s/));
    assert.equal(refused.headers.get("retry-after"), "30");
    assert.equal(refused.headers.get("anthropic-ratelimit-requests-limit"), "2");
    assert.equal((await complete(relay, other)).status, 200, "another key has its own");
    relay.advance(30_000);
    assert.equal((await complete(relay, key)).status, 200);
    const body = { requests_per_minute: 1 };
    await relay.admin("/admin/keys/my-app", { method: "PATCH", body });
    assert.equal((await complete(relay, key)).status, 200);
    assertAppRefused(await complete(relay, key), limited(/1 per 60 s/));
  });

  it("a day: PER_KEY_DAILY, or its own, until midnight UTC; a restart forgets nothing", async (t) => {
    const dataDir = tempFolder(t);
    const env = { PER_KEY_DAILY: "3" };
    const relay = await startInside({ dataDir, env });
    const key = await relay.mint();
    assert.equal((await complete(relay, key)).status, 200);
    assert.equal((await complete(relay, key, { stream: true })).status, 200);
    assert.equal((await relay.ask(key)).status, 200);
    const refused = await complete(relay, key);
    assertAppRefused(refused, limited(/limit of 3 calls a day/, "false"));
    // The harness's clock stands at a quarter of a second past noon.
    assert.equal(refused.headers.get("retry-after"), String(12 * 3600));
    const now = relay.now();
    await relay.close();
    const again = await startInside({ dataDir, env, now });
    t.after(() => again.close());
    assertAppRefused(await complete(again, key), limited(/calls a day/, "false"));
    again.advance(12 * 3_600_000);
    assert.equal((await complete(again, key)).status, 200);
  });

  it("refused calls of any kind count against no day", async (t) => {
    const relay = await start(t, {
      PER_KEY_DAILY: "1",
      ALLOWED_MODELS: "haiku",
      MAX_INPUT_BYTES: "10",
    });
    const key = await relay.mint();
    for (const body of [
      {},
      { model: "opus" },
      { prompt: "x".repeat(11) },
      { json_schema: { type: 5 } },
    ]) {
      const { status } = await complete(relay, key, body);
      assert.ok([400, 413].includes(status), String(status));
    }
    assert.equal((await complete(relay, key, { model: "haiku", prompt: "x" })).status, 200);
    assert.equal((await complete(relay, key, { model: "haiku", prompt: "x" })).status, 429);
  });

  it("all keys together: GLOBAL_DAILY; devices are not asked", async (t) => {
    const relay = await start(t, { GLOBAL_DAILY: "2" });
    const [a, b] = [await relay.mint({ label: "a" }), await relay.mint({ label: "b" })];
    await complete(relay, a);
    await complete(relay, b);
    assertAppRefused(await complete(relay, a), limited(/GLOBAL_DAILY/, "false"));
    assertRefused(await relay.ask(b), limited(/GLOBAL_DAILY/, "false"));
    assert.equal((await relay.ask(await relay.bootstrap())).status, 200);
    const models = await relay.call("/v1/models", { token: a });
    assert.equal(models.status, 200, "the list of models is no model call");
  });

  it("at once: GLOBAL_CONCURRENCY and its own; a place is free when its call is over", async (t) => {
    const relay = await start(t, { GLOBAL_CONCURRENCY: "2" });
    const a = await relay.mint({ label: "a", concurrency: 1 });
    const b = await relay.mint({ label: "b" });
    const hold = (token: string, leave: AbortController) =>
      fetch(`${relay.url}/v1/complete`, {
        method: "POST",
        signal: leave.signal,
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
        },
        body: '{"prompt":"x","model":"claude-sim-stall:1"}',
      }).catch(() => null);
    const [first, second] = [new AbortController(), new AbortController()];
    const held = [hold(a, first)];
    await relay.simulator.until(({ openStreams }) => openStreams === 1);
    const own = await complete(relay, a);
    assertAppRefused(own, limited(/This app key has 1 call running/));
    assert.equal(own.headers.get("retry-after"), "1");
    held.push(hold(b, second));
    await relay.simulator.until(({ openStreams }) => openStreams === 2);
    assertAppRefused(await complete(relay, b), limited(/GLOBAL_CONCURRENCY/));
    assert.equal((await relay.ask(await relay.bootstrap())).status, 200);
    first.abort();
    await relay.simulator.until(({ aborted }) => aborted === 1);
    assert.equal((await complete(relay, a)).status, 200);
    second.abort();
    await Promise.all(held);
  });

  it("pages: a bucket of their own, which never spends the model's, nor the model's it", async (t) => {
    const relay = await start(t, {
      PER_KEY_RPM: "2",
      PER_KEY_DAILY: "2",
      GLOBAL_DAILY: "2",
      FETCH_PER_KEY_RPM: "3",
    });
    const key = await relay.mint();
    const get = () => relay.call("/v1/fetch", { token: key, body: { url: "https://a.test/" } });
    for (let n = 0; n < 3; n += 1) {
      assert.equal((await get()).status, 200);
    }
    const refused = await get();
    assertAppRefused(refused, limited(/3 per 60 s/));
    assert.equal(refused.headers.get("retry-after"), "20");
    assert.deepEqual(
      [await complete(relay, key), await complete(relay, key)].map(({ status }) => status),
      [200, 200],
    );
    assert.equal((await complete(relay, key)).status, 429);
    relay.advance(20_000);
    assert.equal((await get()).status, 200, "the model's limit is not the page's");
  });
});

it("keys survive a restart; secrets are in no log line and no file, at LOG_LEVEL=trace", async (t) => {
  const dataDir = tempFolder(t);
  const env = { LOG_LEVEL: "trace" };
  const first = await startRelay({ dataDir, env });
  let output = "";
  const listen = ({ process }: typeof first): void => {
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on("data", (chunk) => {
        output += chunk;
      });
    }
  };
  listen(first);
  const post = (url: string, path: string, token: string, body: object) =>
    fetch(`${url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const mint = async (label: string): Promise<string> => {
    const answer = await post(first.url, "/admin/keys", adminToken, { label });
    return ((await answer.json()) as { secret: string }).secret;
  };
  const key = await mint("kept");
  const gone = await mint("gone");
  const turned = await post(first.url, "/admin/keys/kept/rotate", adminToken, {});
  const { secret } = (await turned.json()) as { secret: string };
  await first.admin("/admin/keys/gone", { method: "DELETE" });
  const prompt = "PROMPT-of-an-app-51c2";
  const url = "https://PAGE-51c2.invalid/PATH-51c2";
  for (const token of [key, secret, gone, `${key.slice(0, -1)}_`]) {
    await (await post(first.url, "/v1/complete", token, { prompt, system: prompt })).text();
    await (await post(first.url, "/v1/complete", token, { [prompt]: 1, prompt })).text();
    await (await post(first.url, "/v1/fetch", token, { url })).text();
  }
  assert.equal(await first.stop(), 0);
  const second = await startRelay({ dataDir, env });
  listen(second);
  const statuses = [];
  for (const token of [key, secret, gone]) {
    const answer = await post(second.url, "/v1/complete", token, { prompt });
    await answer.text();
    statuses.push(answer.status);
  }
  assert.deepEqual(statuses, [200, 200, 401]);
  assert.equal(await second.stop(), 0);

  const kept = await keptBy(dataDir);
  assert.ok(
    kept.some(([, text]) => text.includes("kept")),
    "the key's label is in the database",
  );
  assert.ok(output.includes('"app_key":"kept"'), "the key's label is in the log");
  for (const [place, text] of [["the log", output] as const, ...kept]) {
    for (const never of [key, secret, gone, prompt]) {
      // Half of a secret would be half given away.
      const telling = never.startsWith("crk_") ? never.slice(4, 24) : never;
      assert.ok(
        !text.includes(telling),
        `${place} holds ${never === prompt ? "the prompt" : "a secret"}`,
      );
    }
    assert.doesNotMatch(text, /PAGE-51c2|PATH-51c2/i, place);
  }
});
