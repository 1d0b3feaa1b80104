/** Several processes, and one of them serves the routers: their sessions are in its memory. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type PostgresServer, postgresMissing, startPostgres } from "./harness/postgres.ts";
import { RedisServer, redisMissing } from "./harness/redis.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { RouterClient } from "./harness/router-client.ts";
import { commands, routersUrl, sharedSecret } from "./harness/routers.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./harness/scripted-upstream.ts";

const workers = 3;

describe("routers of a relay with several processes", {
  skip: postgresMissing || redisMissing,
}, () => {
  const redis = new RedisServer();
  let upstream: ScriptedUpstream;
  let postgres: PostgresServer;
  let relay: Relay;

  before(async () => {
    [postgres, upstream] = await Promise.all([
      startPostgres(),
      startScriptedUpstream(),
      redis.start(),
    ]);
    const database = await postgres.createDatabase();
    relay = await startRelay({
      upstreamUrl: upstream.url,
      env: {
        ...{ REDIS_URL: redis.url, DATABASE_URL: database.url, WORKERS: String(workers) },
        CLAUDE_RELAY_ENABLE_CLOUD: "true",
        CLAUDE_RELAY_CLOUD_PORT: "0",
        CLAUDE_RELAY_HANDSHAKE_SECRET: sharedSecret,
        CLAUDE_RELAY_ROUTER_RPM: "1000",
      },
    });
    let up = 0;
    await relay.logged(({ msg }) => msg === "claude-relay is up" && ++up === workers);
    upstream.answerWith(commands("/ip address print"));
  });
  after(async () => {
    assert.equal(await relay.stop(), 0);
    await Promise.all([postgres.remove(), redis.remove(), upstream.close()]);
  });

  it("find one listener, and their session on every connection to it", async () => {
    const opened = relay.logs.filter(({ msg }) => msg.startsWith("Routers are served at"));
    assert.equal(opened.length, 1);
    const router = new RouterClient({ url: routersUrl(relay), secret: sharedSecret });
    await router.handshake();
    for (let count = 0; count < 2 * workers; count += 1) {
      assert.equal((await router.ask("show")).success, true);
    }
  });

  it("are revoked by whichever process hears of it", async () => {
    const router = new RouterClient({ url: routersUrl(relay), secret: sharedSecret, id: "gone" });
    await router.handshake();
    // Each process learns of the router, and the listener's of the end, through Redis.
    let status = 404;
    while (status === 404) {
      ({ status } = await relay.admin("/admin/routers/gone", { method: "DELETE" }));
    }
    assert.equal(status, 200);
    let code: unknown;
    while (code === undefined) {
      ({ code } = await router.ask("show"));
    }
    assert.equal(code, "router_revoked");
  });
});
