import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import os, { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { describe, it } from "node:test";
import { Refusal } from "../pipeline/refusal.ts";
import { createLookup } from "./guard/lookup.ts";
import { isOwnAddress } from "./guard/own-addresses.ts";
import { createPageFetch } from "./page-fetch.ts";
import { pageRequest } from "./test-setup.ts";

const still = new AbortController().signal;

/** Lookups that are answered one by one. */
const slowLookups = () => {
  const answers = new Map<string, () => void>();
  const lookup = createLookup(async (name) => {
    await new Promise<void>((answer) => answers.set(name, answer));
    return [name];
  });
  const begun = () => [...answers.keys()];
  const turn = () => new Promise((done) => setImmediate(done));
  return { lookup, begun, turn, answer: (name: string) => answers.get(name)?.() };
};

describe("the server's page fetch", () => {
  it("refuses a fetch over its number, and takes the next when one has ended", async (t) => {
    const { fetchPage, close } = createPageFetch({
      userAgent: "test",
      limits: { concurrent: 1, totalMs: 20_000 },
    });
    t.after(close);
    const first = fetchPage(pageRequest("http://localhost/"));
    await assert.rejects(
      fetchPage(pageRequest("http://localhost/")),
      (error) =>
        error instanceof Refusal &&
        error.code === "rate_limited" &&
        error.details.retryAfterSeconds === 1,
    );
    await assert.rejects(first, /public/);
    await assert.rejects(fetchPage(pageRequest("http://localhost/")), /public/);
  });

  it("gives one caller half of the places, so that another has room", async (t) => {
    const { fetchPage, close } = createPageFetch({
      userAgent: "test",
      limits: { concurrent: 4, totalMs: 20_000 },
    });
    t.after(close);
    const ask = (callerKey: string) => fetchPage(pageRequest("http://localhost/", { callerKey }));
    const isBusy = (error: unknown) => error instanceof Refusal && error.code === "rate_limited";
    const [one, two, tooMany, other, another, full] = ["a", "a", "a", "b", "c", "b"].map(ask);
    await Promise.all([
      ...[one, two, other, another].map((each) =>
        assert.rejects(each as Promise<unknown>, /public/),
      ),
      ...[tooMany, full].map((each) => assert.rejects(each as Promise<unknown>, isBusy)),
    ]);
    await assert.rejects(ask("a"), /public/);
  });

  it("knows this machine's own addresses, in any spelling", () => {
    const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    assert.ok(own.length > 0);
    for (const { address, family } of own) {
      assert.equal(isOwnAddress(address), true, address);
      if (family === "IPv4") {
        assert.equal(isOwnAddress(`::ffff:${address}`), true);
      }
    }
    assert.equal(isOwnAddress("93.184.215.14"), false);
    assert.equal(isOwnAddress("not an address"), false);
  });

  it("fetches nothing from this machine's public address", async (t) => {
    const own = { address: "93.184.215.14", family: "IPv4" } as NetworkInterfaceInfo;
    t.mock.method(os, "networkInterfaces", () => ({ eth0: [own] }));
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    const { fetchPage, close } = createPageFetch({
      userAgent: "test",
      limits: { concurrent: 8, totalMs: 2_000 },
    });
    t.after(close);
    for (const host of ["93.184.215.14", "[::ffff:93.184.215.14]"]) {
      await assert.rejects(fetchPage(pageRequest(`http://${host}/`)), /public/);
    }
  });
});

describe("names are resolved", () => {
  it("by the machine's own resolver, all addresses at once", async () => {
    const addresses = await createLookup()("localhost", still, "a");
    assert.ok(addresses.includes("127.0.0.1") || addresses.includes("::1"));
  });

  it("two at a time, also when some fail", async () => {
    let running = 0;
    let most = 0;
    const lookup = createLookup(async (name) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((turn) => setImmediate(turn));
      running -= 1;
      if (name.startsWith("bad")) {
        throw new Error("no such name");
      }
      return [name];
    });
    const names = ["a", "bad1", "b", "bad2", "c", "d", "e"];
    const settled = await Promise.allSettled(names.map((name) => lookup(name, still, name)));
    assert.deepEqual(
      settled.map(({ status }) => status === "fulfilled"),
      names.map((name) => !name.startsWith("bad")),
    );
    assert.equal(most, 2);
    assert.deepEqual(await lookup("again", still, "a"), ["again"]);
  });

  it("of a caller that left no more, so that the next one need not wait for them", async () => {
    const { lookup, begun, turn, answer } = slowLookups();
    const left = new AbortController();
    const abandoned = Array.from({ length: 30 }, (_, index) =>
      lookup(`slow${index}`, left.signal, `a${index}`),
    );
    const settled = Promise.allSettled(abandoned);
    const mine = lookup("mine", still, "b");
    await turn();
    left.abort();
    assert.deepEqual(begun(), ["slow0", "slow1"]);
    answer("slow0");
    await turn();
    assert.deepEqual(begun(), ["slow0", "slow1", "mine"]);
    answer("mine");
    assert.deepEqual(await mine, ["mine"]);
    answer("slow1");
    const states = (await settled).map(({ status }) => status);
    assert.deepEqual(states, ["fulfilled", "fulfilled", ...Array(28).fill("rejected")]);
    await assert.rejects(lookup("late", left.signal, "a"), { name: "AbortError" });
  });

  it("one at a time for one caller, so that its slow names leave room for another's", async () => {
    const { lookup, begun, turn, answer } = slowLookups();
    const all = [lookup("a1", still, "a"), lookup("a2", still, "a"), lookup("b1", still, "b")];
    assert.deepEqual(begun(), []);
    await turn();
    assert.deepEqual(begun(), ["a1", "b1"]);
    answer("b1");
    await turn();
    assert.deepEqual(begun(), ["a1", "b1"]);
    answer("a1");
    await turn();
    answer("a2");
    assert.deepEqual(await Promise.all(all), [["a1"], ["a2"], ["b1"]]);
  });

  it("no more than so many wait", async () => {
    const { lookup } = slowLookups();
    const left = new AbortController();
    const waiting = Array.from({ length: 257 }, () => lookup("slow", left.signal, "a"));
    await assert.rejects(lookup("one more", still, "a"), /too many/);
    left.abort();
    assert.equal((await Promise.allSettled(waiting.slice(1))).length, 256);
  });
});
