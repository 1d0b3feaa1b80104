/** A sign-in whose every step meets another process: they share a real Redis and a real Postgres. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  clientId,
  clientSecret,
  type OidcProvider,
  startOidcProvider,
} from "./harness/oidc-provider.ts";
import { verified } from "./harness/oidc-relay.ts";
import { approveAt } from "./harness/oidc-sign-in.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "./harness/postgres.ts";
import { RedisServer, redisMissing } from "./harness/redis.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { begin, type Callable, password, poll, refresh, signIn } from "./harness/sign-in.ts";

const workers = 3;

describe("a sign-in at several processes", { skip: postgresMissing || redisMissing }, () => {
  const redis = new RedisServer();
  let postgres: PostgresServer;
  let relay: Relay;
  let provider: OidcProvider;

  before(async () => {
    [postgres] = await Promise.all([startPostgres(), redis.start()]);
    const database = await postgres.createDatabase();
    const shared = { REDIS_URL: redis.url, DATABASE_URL: database.url };
    provider = await startOidcProvider({ "sub-of-bob": verified("bob@example.com") });
    const oidc = {
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: clientId,
      OIDC_CLIENT_SECRET: clientSecret,
      ...{ OIDC_CREATE_USERS: "on", OIDC_ALLOWED_DOMAINS: "example.com" },
    };
    relay = await startRelay({
      env: { ...shared, ...oidc, WORKERS: String(workers), GATEWAY_SIGNIN: "on" },
    });
    const { port } = new URL(relay.url);
    provider.register({ redirectUri: `http://localhost:${port}/device/callback` });
    let up = 0;
    await relay.logged(({ msg }) => msg === "claude-relay is up" && ++up === workers);
    const asJson = (method: string, body: object) => ({ method, body: JSON.stringify(body) });
    await relay.admin("/admin/users", asJson("POST", { id: "ann" }));
    const set = await relay.admin("/admin/users/ann/password", asJson("PUT", { password }));
    assert.equal(set.status, 200);
  });
  after(async () => {
    assert.equal(await relay.stop(), 0);
    await Promise.all([postgres.remove(), redis.remove(), provider.close()]);
  });

  /** Each call on a connection of its own: the processes take them in turn. */
  const anywhere: Callable = {
    call: async (path, call = {}) => {
      const response = await fetch(`${relay.url}${path}`, {
        method: call.method ?? "GET",
        redirect: "manual",
        headers: { connection: "close", ...call.headers },
        ...(typeof call.body === "string" && { body: call.body }),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type") === "application/json";
      const body = isJson ? JSON.parse(text) : null;
      return { status: response.status, headers: response.headers, text, body };
    },
  };
  const statusesOf = (token: string): Promise<number[]> =>
    Promise.all(
      Array.from({ length: 4 * workers }, async () => {
        const headers = { authorization: `Bearer ${token}` };
        return (await anywhere.call("/user/bootstrap", { headers })).status;
      }),
    );

  it("is known to all of them, at once", async () => {
    const tokens = await signIn(anywhere);
    assert.deepEqual(new Set(await statusesOf(tokens.access_token)), new Set([404]));
    const next = await refresh(anywhere, tokens.refresh_token);
    assert.equal(next.status, 200);
    assert.deepEqual(new Set(await statusesOf(next.body.access_token)), new Set([404]));
  });

  it("may go over a provider, there from one and back to another, many at once", async () => {
    const all = await Promise.all(
      Array.from({ length: 2 * workers }, async () => {
        const begun = await begin(anywhere);
        const done = await approveAt(anywhere, begun, "sub-of-bob");
        assert.equal(done.status, 200, done.text);
        return poll(anywhere, begun);
      }),
    );
    assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]));
    for (const { body } of all) {
      assert.deepEqual(new Set(await statusesOf(body.access_token)), new Set([404]));
    }
    const links = await relay.admin("/admin/users/bob@example.com/sign-in-links");
    assert.equal(links.body.data.length, 1, "made and linked once");
  });

  it("gives a token to one of many who poll at several processes", async () => {
    const begun = await begin(anywhere);
    await approveAt(anywhere, begun, "sub-of-bob");
    const answers = await Promise.all(Array.from({ length: 9 }, () => poll(anywhere, begun)));
    const [granted, ...more] = answers.filter(({ status }) => status === 200);
    assert.equal(more.length, 0);
    assert.deepEqual(new Set(await statusesOf(granted?.body.access_token)), new Set([404]));
  });

  it("gives one next token however many processes are asked at once", async () => {
    const { refresh_token: token } = await signIn(anywhere);
    const answers = await Promise.all(Array.from({ length: 9 }, () => refresh(anywhere, token)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1);
  });

  it("is over at all of them once the person is let go", async () => {
    const tokens = await signIn(anywhere);
    assert.deepEqual(new Set(await statusesOf(tokens.access_token)), new Set([404]));
    const gone = await relay.admin("/admin/users/ann", { method: "DELETE" });
    assert.equal(gone.status, 200);
    assert.deepEqual(new Set(await statusesOf(tokens.access_token)), new Set([401]));
    assert.equal((await refresh(anywhere, tokens.refresh_token)).status, 401);
  });
});
