import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { redisMissing } from "../../../../../test/harness/redis.ts";
import { until } from "./test-setup.ts";
import { boardRig, learns } from "./testing/board-rig.ts";

describe("notices between instances", { skip: redisMissing, timeout: 60_000 }, () => {
  it("reach all others, not the one that told, and one that comes later for what is left", async (t) => {
    const { connect } = await boardRig(t);
    const [one, other] = [await connect(), await connect()];
    one.tell("breaker", "open", 60_000);
    one.tell("key", "rests", 60_000);
    await learns(other, "breaker", "open");
    await learns(other, "key", "rests");
    assert.deepEqual(one.heard, []);
    const late = await connect();
    await learns(late, "breaker", "open");
    for (const { forMs } of [...other.heard, ...late.heard]) {
      assert.ok(forMs > 40_000 && forMs <= 60_000, `${forMs}`);
    }
  });

  it("are heard once, however often they are compared", async (t) => {
    const { client, connect } = await boardRig(t);
    const [one, other] = [await connect(), await connect()];
    one.tell("breaker", "open", 60_000);
    await learns(other, "breaker", "open");
    one.tell("key", "rests", 60_000);
    await learns(other, "key", "rests");
    const compared = async () =>
      Number(/cmdstat_eval:calls=(\d+)/.exec(await client.info("commandstats"))?.[1]);
    const before = await compared();
    await until(async () => (await compared()) > before + 10);
    one.tell("breaker", "closed", 0);
    await learns(other, "breaker", "closed");
    assert.deepEqual(
      other.heard.map(({ value }) => value),
      ["open", "rests", "closed"],
    );
    assert.deepEqual(one.heard, []);
  });

  it("of a rest: the longest is believed, whoever told it last", async (t) => {
    const { connect } = await boardRig(t);
    const [one, other] = [await connect(), await connect()];
    one.tell("key", "rests", 100_000);
    await until(() => other.restsForMs > 90_000);
    other.tell("key", "rests", 1_000);
    const late = await connect();
    await until(() => late.restsForMs > 90_000);
    assert.ok(one.restsForMs > 90_000);
  });

  it("that could not be told are told when Redis is back, unless others found out more since", async (t) => {
    const { server, make, connect } = await boardRig(t);
    const [one, other] = [await connect(), await connect()];
    const away = make();
    away.tell("breaker", "open", 60_000);
    away.tell("key", "rests", 60_000);
    one.tell("breaker", "closed", 0);
    await learns(other, "breaker", "closed");
    away.board.start();
    await learns(away, "breaker", "closed");
    await learns(other, "key", "rests");
    assert.equal(other.believed.get("breaker"), "closed");

    await server.kill();
    one.tell("breaker", "open", 60_000);
    await server.start();
    await learns(other, "breaker", "open");
    await learns(away, "breaker", "open");
    assert.equal(one.believed.get("breaker"), "open");
  });

  it("outlive a flush and a restart of Redis: one that comes later learns them from those that know", async (t) => {
    const { server, client, connect } = await boardRig(t);
    const one = await connect();
    one.tell("breaker", "open", 60_000);
    one.tell("key", "rests", 60_000);
    await until(async () => (await client.dbsize()) === 2);
    await client.flushall();
    const late = await connect();
    await learns(late, "breaker", "open");
    await learns(late, "key", "rests");
    await server.kill();
    await server.start();
    await until(async () => client.status === "ready" && (await client.dbsize()) === 2);
    const later = await connect();
    await learns(later, "breaker", "open");
    assert.deepEqual(one.heard, []);
  });

  it("that are nonsense, or of names nobody knows, are ignored", async (t) => {
    const { client, prefix, connect } = await boardRig(t);
    const one = await connect();
    const channel = `{${prefix}}:notices`;
    for (const message of [
      "",
      "a b c",
      "x breaker open NaN 5",
      "x breaker open 1e20 -1",
      "x y z 1 1",
    ]) {
      await client.publish(channel, message);
    }
    const other = await connect();
    other.tell("unknown", "open", 5);
    other.tell("key", "rests", 60_000);
    await learns(one, "key", "rests");
    assert.deepEqual(
      one.heard.map(({ name }) => name),
      ["key"],
    );
  });

  it("leave no name in Redis that would stay for ever", async (t) => {
    const { client, connect } = await boardRig(t);
    const one = await connect();
    one.tell("breaker", "closed", 0);
    one.tell("key", "rests", 1e18);
    await until(async () => (await client.dbsize()) === 2);
    for (const name of await client.keys("*")) {
      assert.ok((await client.pttl(name)) > 0, name);
    }
  });

  it("make all agree in the end, however tells, flushes and outages mingle", async (t) => {
    const { server, client, make } = await boardRig(t);
    const three = [make(), make(), make()] as const;
    for (const { board } of three) {
      board.start();
    }
    const aStep = fc.record({
      by: fc.constantFrom(0 as const, 1 as const, 2 as const),
      do: fc.constantFrom("tell", "tell", "tell", "rest", "wait", "flush", "kill"),
    });
    let told = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 3, maxLength: 30 }), async (steps) => {
        for (const { by, do: act } of steps) {
          told += 1;
          if (act === "tell") {
            three[by].tell("breaker", `open-${told}`, 60_000);
          } else if (act === "rest") {
            three[by].tell("key", "rests", 60_000 + told * 1_000);
          } else if (act === "wait") {
            await new Promise((resolve) => setTimeout(resolve, 3));
          } else if (act === "flush") {
            await until(() =>
              client.flushall().then(
                () => true,
                () => false,
              ),
            );
          } else {
            await server.kill();
            await server.start();
          }
        }
        // Whatever was said last by one that all can hear settles it.
        await until(() => {
          const believed = three.map(({ believed: of }) => of.get("breaker"));
          const ends = three.map(({ restsForMs }) => restsForMs);
          return (
            believed.every((value) => value === believed[0]) &&
            Math.max(...ends) - Math.min(...ends) < 900
          );
        });
        three[0].tell("breaker", `last-${told}`, 60_000);
        await until(() =>
          three.every(({ believed }) => believed.get("breaker") === `last-${told}`),
        );
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });
});
