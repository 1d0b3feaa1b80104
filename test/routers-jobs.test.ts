/** Slow answers: a router's fetch gives up after 10 s, so it gets a job to ask again for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { rowsWhen } from "./harness/ledger.ts";
import { commands, startRouters } from "./harness/routers.ts";

const read = "/ip address print";

describe("a slow answer", { concurrency: 4 }, () => {
  it("becomes a job, which its own router alone may ask for, again and again", async (t) => {
    const { upstream, connected } = await startRouters(t);
    const router = await connected();
    const foreign = await connected({ id: "branch" });
    const { promise, resolve } = Promise.withResolvers<object>();
    upstream.answerWith(() => promise);
    const { job, ...pending } = await router.ask("show addresses");
    assert.deepEqual(pending, { success: true, status: "pending", poll_after: 2 });
    assert.match(job, /^j_[0-9a-f]{32}$/);
    assert.equal((await foreign.get(`/jobs/${job}`)).code, "job_unknown");
    const unsigned = await router.send({ path: `/jobs/${job}` });
    assert.equal(unsigned.json.code, "session_unknown");
    const waiting = router.get(`/jobs/${job}`);
    resolve(commands(read));
    const answer = await waiting;
    assert.equal(answer.routeros_command, read);
    assert.deepEqual(await router.get(`/jobs/${job}`), answer);
    assert.equal((await router.confirm(answer.confirm_code)).confirmed, true);
  });

  it("whose router goes away before it has the job's id is stopped, and in the ledger", async (t) => {
    const { upstream, connected, relay } = await startRouters(t);
    const router = await connected();
    const arrived = Promise.withResolvers<void>();
    upstream.answerWith(() => {
      arrived.resolve();
      return new Promise(() => {});
    });
    const leaving = new AbortController();
    const { path, headers, body } = router.sign(
      "POST",
      "/process-command",
      JSON.stringify({ command: "show" }),
    );
    const sent = fetch(`${router.url}${path}`, {
      method: "POST",
      headers,
      body,
      signal: leaving.signal,
    });
    await arrived.promise;
    leaving.abort();
    await assert.rejects(sent);
    const [row] = await rowsWhen(relay, (rows) =>
      rows.some(({ ending }) => ending === "client_left"),
    );
    assert.deepEqual([row?.operation, row?.status, row?.accuracy], ["router", 499, "estimated"]);
  });

  it("is one of four at most: a fifth question waits for one of them", async (t) => {
    const { upstream, connected } = await startRouters(t);
    const router = await connected();
    const { promise, resolve } = Promise.withResolvers<object>();
    let arrived = Promise.withResolvers<void>();
    upstream.answerWith(() => {
      arrived.resolve();
      return promise;
    });
    const asked = [];
    for (let count = 0; count < 4; count += 1) {
      arrived = Promise.withResolvers<void>();
      const body = JSON.stringify({ command: "show" });
      asked.push(router.send(router.sign("POST", "/process-command", body)));
      // One after the other: a request that overtakes another would be out of sequence.
      await arrived.promise;
    }
    const fifth = await router.ask("show");
    assert.deepEqual([fifth.code, fifth.retry_after], ["rate_limited", 5]);
    resolve(commands(read));
    for (const { json } of await Promise.all(asked)) {
      assert.equal(json.success, true);
    }
    assert.equal((await router.ask("show")).success, true);
  });
});

describe("a relay that shuts down", { concurrency: 2 }, () => {
  it("answers what runs, refuses what comes, sealed, and exits 0", async (t) => {
    const { upstream, connected, relay } = await startRouters(t);
    const router = await connected();
    const other = await connected({ id: "branch" });
    const arrived = Promise.withResolvers<void>();
    const { promise, resolve } = Promise.withResolvers<object>();
    upstream.answerWith(() => {
      arrived.resolve();
      return promise;
    });
    const asking = router.ask("show");
    await arrived.promise;
    const exited = once(relay.process, "exit");
    relay.process.kill("SIGTERM");
    await relay.logged(({ msg }) => msg.startsWith("Draining"));
    const refused = await other.ask("show");
    assert.deepEqual([refused.code, refused.retry_after], ["unavailable", 5]);
    assert.equal((await other.handshake()).code, "unavailable");
    assert.equal((await other.send({ path: "/health" })).json.status, "healthy");
    resolve(commands(read));
    assert.equal((await asking).success, true);
    assert.deepEqual(await exited, [0, null]);
  });
});
