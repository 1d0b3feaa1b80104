/** The shipped module's handshake, and how it finds the relay. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { startDouble } from "./routers-rsc-double.ts";
import { type Installed, introduced, kinds } from "./routers-rsc-router.ts";

const secret = 'a shared "secret" of the test: 32+';

for (const kind of kinds) {
  const { version, sha512 } = kind;
  const mac = sha512 ? "hmac-sha512" : "hmac-sha256";
  const connected = (t: TestContext, options: Installed = {}, settings = {}) =>
    introduced(t, secret, { ...kind, ...options }, settings);

  describe(`the module on RouterOS ${version}: the handshake`, () => {
    it("says who the router is and proves the secret, which itself goes nowhere", async (t) => {
      const { relay, router } = await connected(t);
      await router.run(":global ClaudeRelayInitCloud\n[$ClaudeRelayInitCloud]");
      const [hello] = relay.handshakes;
      assert.deepEqual(
        [hello?.["v"], hello?.["router_identity"], hello?.["router_id"], hello?.["mac"]],
        [1, "Office", "HEX1234ABCD", mac],
      );
      assert.match(String(hello?.["nonce"]), /^[a-z0-9]{32}$/);
      await router.call("ClaudeRelayStatus");
      const said = JSON.stringify([router.put, router.log, router.fetches, relay.handshakes]);
      assert.ok(!said.includes(JSON.stringify(secret).slice(1, -1)));
      assert.ok(!said.includes(Buffer.from(secret).toString("hex")));
      assert.deepEqual(
        router.fetches.map(({ url }) => new URL(url).pathname),
        ["/handshake"],
      );
    });

    it("uses a challenge when its clock is off, at once and once", async (t) => {
      const { relay, router } = await connected(t, { clock: () => 86_400_000 });
      await router.call("ClaudeRelayHandshake");
      assert.deepEqual(
        router.fetches.map(({ url }) => new URL(url).pathname),
        ["/handshake", "/handshake/challenge", "/handshake"],
      );
      assert.match(String(relay.handshakes[1]?.["challenge"]), /^c_/);
      assert.notEqual(relay.handshakes[0]?.["nonce"], relay.handshakes[1]?.["nonce"]);
    });

    it("gives up when the relay calls the challenge skewed too", async (t) => {
      const { relay, router } = await connected(t);
      relay.tamper = (reply, path) =>
        path === "/handshake" ? { success: false, code: "clock_skew", error: "off" } : reply;
      await assert.rejects(router.call("ClaudeRelayHandshake"), /clock_skew/);
      assert.equal(relay.handshakes.length, 2);
    });

    it("names the id it was given, else one made safe of serial number or identity", async (t) => {
      const { router } = await connected(t);
      const idWith = async (name: string) => {
        await router.run(`:global ClaudeRelayRouterId ${JSON.stringify(name)}`);
        return router.call("ClaudeRelayId");
      };
      assert.equal(await idWith("office.1"), "office.1");
      assert.equal(await idWith("Büro 1/2"), "B--ro-1-2");
      assert.equal(await idWith(".hidden"), "r.hidden");
      assert.equal(await idWith("x".repeat(80)), "x".repeat(64));
      const virtual = await connected(t, { virtual: true, identity: "Head Office" });
      assert.equal(await virtual.router.call("ClaudeRelayId"), "Head-Office");
    });

    it("sends an identity in ASCII, whatever the router is called", async (t) => {
      const { relay, router } = await connected(t, { identity: 'Büro "1"\\' });
      await router.call("ClaudeRelayHandshake");
      assert.match(String(relay.handshakes[0]?.["router_identity"]), /^B\?+ro "1"\\$/);
    });

    it("asks nothing while it is not enabled, or without an address or secret", async (t) => {
      for (const [settings, why] of [
        [{ ClaudeRelayEnabled: false }, /not enabled/],
        [{ ClaudeRelayURL: "" }, /where is the relay/],
        [
          { ClaudeRelayURL: "http://192.168.88.10:8899", ClaudeRelayHandshakeSecret: "" },
          /no secret/,
        ],
      ] as const) {
        const { router } = await connected(t, {}, settings);
        await assert.rejects(router.call("ClaudeRelayInitCloud"), why);
        await assert.rejects(router.call("ClaudeRelayAsk", ["show addresses"]), why);
        assert.deepEqual(router.fetches, []);
      }
    });
  });

  describe(`the module on RouterOS ${version}: where the relay is`, () => {
    const urlOf = async (t: TestContext, url: string, settings = {}) => {
      const resolve = (host: string) => (host.endsWith(".lan") ? "192.168.88.10" : "203.0.113.5");
      const { router } = await connected(t, { resolve }, { ClaudeRelayURL: url, ...settings });
      return router.call("GetCloudURL");
    };

    it("takes https anywhere, and plain http only where it stays at home", async (t) => {
      for (const url of [
        "https://relay.example.com:8899",
        "https://203.0.113.5",
        "http://127.0.0.1:8899",
        "http://localhost:8899",
        "http://192.168.88.10:8899",
        "http://10.1.2.3",
        "http://172.31.0.1:1",
        "http://relay.lan:8899",
        "http://[::1]:8899",
        "http://[fd00::10]:8899",
      ]) {
        assert.equal(await urlOf(t, url), url);
      }
      assert.equal(await urlOf(t, "https://relay.lan:8899/"), "https://relay.lan:8899");
      for (const url of [
        "http://203.0.113.5:8899",
        "http://relay.example.com:8899",
        "http://172.32.0.1",
        "http://100.64.0.1",
        "http://192.169.0.1",
        "http://[2001:db8::1]:8899",
      ]) {
        await assert.rejects(urlOf(t, url), /plain http only to private/, url);
        assert.equal(await urlOf(t, url, { ClaudeRelayAllowHTTP: true }), url);
      }
    });

    it("refuses what only looks like an address", async (t) => {
      for (const url of [
        "http://127.0.0.1@evil.example:8899",
        "https://relay.lan:8899/path",
        "https://relay.lan:8899?x=1",
        "ftp://relay.lan",
        "https://",
        "relay.lan:8899",
        "https://relay.lan\n",
      ]) {
        await assert.rejects(urlOf(t, url), /must look like/, url);
      }
      await assert.rejects(urlOf(t, "http://127.0.0.1.evil.example"), /plain http only/);
      await assert.rejects(urlOf(t, "http://10.evil.example"), /plain http only/);
    });

    it("finds it by the name of /ip cloud, then by its address; ClaudeRelayURL wins", async (t) => {
      const relay = await startDouble(t, secret);
      const port = Number(new URL(relay.url).port);
      const cloud = { dnsName: "abc.sn.mynetname.net", publicAddress: "127.0.0.1" };
      const settings = {
        ClaudeRelayURL: "",
        ClaudeRelayUseCloud: true,
        ClaudeRelayCloudPort: port,
      };
      const urlBy = async (resolve: (host: string) => string | undefined, more = {}) => {
        const { router } = await connected(t, { cloud, resolve }, { ...settings, ...more });
        await router.call("ClaudeRelayInitCloud");
        return router.global("ClaudeRelayURL");
      };
      assert.equal(await urlBy(() => "127.0.0.1"), `http://abc.sn.mynetname.net:${port}`);
      assert.equal(await urlBy(() => undefined), `http://127.0.0.1:${port}`);
      assert.equal(await urlBy(() => "127.0.0.1", { ClaudeRelayURL: relay.url }), relay.url);
    });

    it("says what to do when /ip cloud knows nothing, or nobody answers there", async (t) => {
      const settings = { ClaudeRelayURL: "", ClaudeRelayUseCloud: true, ClaudeRelayCloudPort: 1 };
      const none = await connected(t, {}, settings);
      await assert.rejects(none.router.call("ClaudeRelayInitCloud"), /no name and no address/);
      const cloud = { publicAddress: "127.0.0.1" };
      const silent = await connected(t, { cloud }, settings);
      await assert.rejects(
        silent.router.call("ClaudeRelayInitCloud"),
        /no relay answers at http:\/\/127\.0\.0\.1:1; set ClaudeRelayURL to its LAN address\b/,
      );
      assert.equal(await silent.router.call("ClaudeRelayAvailable"), false);
    });

    it("says that plain http is not tried where /ip cloud leads outside, and what to do", async (t) => {
      const settings = { ClaudeRelayURL: "", ClaudeRelayUseCloud: true, ClaudeRelayCloudPort: 1 };
      const cloud = { dnsName: "abc.sn.mynetname.net", publicAddress: "203.0.113.5" };
      const { router } = await connected(t, { cloud, resolve: () => "203.0.113.5" }, settings);
      await assert.rejects(router.call("ClaudeRelayInitCloud"), (error: Error) => {
        assert.ok(
          error.message.includes(
            "no relay answers at https://abc.sn.mynetname.net:1 or https://203.0.113.5:1 (plain http is not tried at public addresses: CLOUD_TLS_CERT on the relay, or ClaudeRelayAllowHTTP true; or set ClaudeRelayURL to its LAN address)",
          ),
          error.message,
        );
        return true;
      });
    });

    it("says of a name that leads nowhere that it does, not that http is refused", async (t) => {
      const settings = { ClaudeRelayURL: "http://relay.nowhere:8899" };
      const { router } = await connected(t, { resolve: () => undefined }, settings);
      await assert.rejects(
        router.call("ClaudeRelayInitCloud"),
        /the name relay\.nowhere leads nowhere \(\/ip\/dns\); use an address/,
      );
      const known = await connected(t, { resolve: () => "203.0.113.5" }, settings);
      await assert.rejects(known.router.call("ClaudeRelayInitCloud"), /plain http only to private/);
    });

    it("does not take for a relay what is healthy and serves no routers", async (t) => {
      const { router, relay } = await connected(t);
      assert.equal(await router.call("ClaudeRelayAvailable"), true);
      relay.tamper = (answer, path) => (path === "/health" ? { status: "healthy" } : answer);
      assert.equal(await router.call("ClaudeRelayAvailable"), false);
    });
  });
}
