import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import os, { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { describe, it } from "node:test";
import { Refusal } from "../pipeline/refusal.ts";
import { createLookup } from "./guard/lookup.ts";
import { isOwnAddress } from "./guard/own-addresses.ts";
import { createPageFetch } from "./page-fetch.ts";
import { pageRequest } from "./test-setup.ts";

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
    const addresses = await createLookup()("localhost");
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
    const settled = await Promise.allSettled(names.map((name) => lookup(name)));
    assert.deepEqual(
      settled.map(({ status }) => status === "fulfilled"),
      names.map((name) => !name.startsWith("bad")),
    );
    assert.equal(most, 2);
    assert.deepEqual(await lookup("again"), ["again"]);
  });
});
