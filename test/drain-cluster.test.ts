/** SIGTERM to a relay of several processes: one wish to stop, by however many ways it reaches them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it, type TestContext } from "node:test";
import { askStream } from "./harness/anthropic.ts";
import {
  eventStream,
  events,
  type HandUpstream,
  startHandUpstream,
  wholeStream,
} from "./harness/hand-upstream.ts";
import { begun, finish, open, readUntil, withToken } from "./harness/http.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "./harness/postgres.ts";
import { RedisServer, redisMissing } from "./harness/redis.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const workers = 2;
const rest = wholeStream.slice(events.start.length);

describe("SIGTERM to a relay with several processes", {
  skip: postgresMissing || redisMissing,
}, () => {
  const redis = new RedisServer();
  let upstream: HandUpstream;
  let postgres: PostgresServer;

  before(async () => {
    [postgres, upstream] = await Promise.all([startPostgres(), startHandUpstream(), redis.start()]);
  });
  after(() => Promise.all([postgres.remove(), redis.remove(), upstream.close()]));

  const start = async (t: TestContext): Promise<Relay> => {
    const database = await postgres.createDatabase();
    const env = { REDIS_URL: redis.url, DATABASE_URL: database.url, WORKERS: String(workers) };
    const dataDir = tempFolder(t);
    const relay = await startRelay({ upstreamUrl: upstream.url, dataDir, ownGroup: true, env });
    t.after(() => relay.process.exitCode ?? process.kill(-(relay.process.pid ?? 0), "SIGKILL"));
    let up = 0;
    await relay.logged(({ msg }) => msg === "claude-relay is up" && ++up === workers);
    return relay;
  };

  /** A stream with its first event at the caller. */
  const begin = async (relay: Relay) => {
    const token = await relay.bootstrap();
    const call = open(relay.url, { headers: withToken(token), body: askStream("hi") });
    const response = await upstream.next();
    response.writeHead(200, eventStream).write(events.start);
    const answer = await begun(call);
    await readUntil(answer, (text) => text === events.start);
    return { response, answer };
  };

  const drained = (relay: Relay): Promise<unknown> => {
    let draining = 0;
    return relay.logged(({ msg }) => msg.startsWith("Draining") && ++draining === workers);
  };

  it("as a whole group, as a service manager sends it, lets a running stream finish", async (t) => {
    const relay = await start(t);
    const exited = once(relay.process, "exit");
    const { response, answer } = await begin(relay);
    process.kill(-(relay.process.pid ?? 0), "SIGTERM");
    // A worker that has nothing to do is down only after it was told twice.
    await relay.logged(({ msg }) => msg === "claude-relay is down");
    await drained(relay);
    response.end(rest);
    assert.deepEqual((await finish(answer)).body.toString(), rest);
    assert.deepEqual(await exited, [0, null]);
    assert.ok(!relay.logs.some(({ msg }) => msg.startsWith("Forced")));
  });

  it("and again, at the primary alone, cuts it off", async (t) => {
    const relay = await start(t);
    const exited = once(relay.process, "exit");
    const { answer } = await begin(relay);
    relay.process.kill("SIGTERM");
    await drained(relay);
    relay.process.kill("SIGTERM");
    const { body, whole } = await finish(answer);
    assert.equal(whole, false);
    assert.match(body.toString(), /shutting down/);
    assert.deepEqual(await exited, [0, null]);
    assert.ok(relay.logs.some(({ msg }) => msg === "Forced: running answers are cut off"));
  });
});
