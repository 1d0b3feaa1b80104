/** The scripts of routeros/ as files: what is shipped, its HMACs, its self-test, and how it is put on a router. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { nextSteps } from "../packages/cli/src/router-lines.ts";
import { createGrammar } from "./routeros/grammar.ts";
import { parseScript } from "./routeros/parser.ts";
import { createRouter } from "./routeros/router.ts";
import { checkShippable } from "./routeros/shippable.ts";
import { startDouble } from "./routers-rsc-double.ts";
import {
  bytesOf,
  configure,
  installedRouter,
  kinds,
  type Router,
  shipped,
  textOf,
  upload,
} from "./routers-rsc-router.ts";

type Vectors = Readonly<{
  hmac: readonly Readonly<{
    name: string;
    key_hex: string;
    data_hex: string;
    sha256: string;
    sha512: string;
  }>[];
  sessions: readonly Readonly<{
    name: string;
    secret: string;
    handshake: Readonly<{ message: string; signature: string }>;
    server_proof: Readonly<{ message: string; proof: string }>;
    session_key: Readonly<{ mac: string; message: string; key_hex: string }>;
    requests: readonly Readonly<{
      body: string;
      body_hash: string;
      message: string;
      signature: string;
    }>[];
  }>[];
}>;

const vectors = JSON.parse(
  readFileSync(new URL("./routeros/vectors.json", import.meta.url), "utf8"),
) as Vectors;
const hexOf = (text: string): string => Buffer.from(text).toString("hex");

describe("the scripts of routeros/", () => {
  it("are plain ASCII without a byte-order mark, under 30 KB, and end by saying so", () => {
    for (const path of shipped) {
      assert.deepEqual(checkShippable(bytesOf(path)), [], path);
      assert.ok(textOf(path).endsWith("\n# end of claude-relay\n"), path);
    }
  });

  it("hold no word that RouterOS 7.15 does not know, nor one that 7.24 dropped", () => {
    for (const version of ["7.15", "7.18", "7.22", "7.24"]) {
      for (const path of shipped) {
        parseScript(textOf(path), createGrammar(version));
      }
    }
  });
});

/** How a router that was told its secret says hello. */
const recipe = nextSteps.filter((line) => line.startsWith("  "));

describe("how a router says hello for the first time", () => {
  it("is told in docs/routers.md as the command line tells it", () => {
    const docs = readFileSync(new URL("../docs/routers.md", import.meta.url), "utf8");
    assert.equal(recipe.length, 4);
    assert.ok(docs.includes(recipe.map((line) => line.trim()).join("\n")));
  });
});

for (const kind of kinds) {
  const { version, sha512 } = kind;
  describe(`HMAC in the shipped script on RouterOS ${version}`, () => {
    const macs = sha512 ? (["hmac-sha256", "hmac-sha512"] as const) : (["hmac-sha256"] as const);
    const load = async () => {
      const router = createRouter(kind);
      await router.run(textOf("modules/claude-relay-hmac.rsc"));
      return router;
    };

    it("is what RFC 4231 says", async () => {
      const router = await load();
      for (const mac of macs) {
        for (const { name, key_hex, data_hex, ...expected } of vectors.hmac) {
          const wanted = mac === "hmac-sha256" ? expected.sha256 : expected.sha512;
          const got = await macOfHex(router, key_hex, data_hex, mac);
          // Case 5 is published cut short.
          assert.equal(got.slice(0, wanted.length), wanted, `${mac}, ${name}`);
        }
      }
    });

    it("signs as the worked examples of docs/routers.md", async () => {
      const router = await load();
      for (const { secret, handshake, server_proof, session_key, requests } of vectors.sessions) {
        const sign = (message: string) =>
          macOfHex(router, hexOf(secret), hexOf(message), "hmac-sha256");
        assert.equal(await sign(handshake.message), handshake.signature);
        assert.equal(await sign(server_proof.message), server_proof.proof);
        assert.equal(await sign(session_key.message), session_key.key_hex);
        const { mac, key_hex } = session_key;
        for (const { body, body_hash, message, signature } of mac === "hmac-sha512" && !sha512
          ? []
          : requests) {
          assert.equal(await router.call("ClaudeRelayHash", [hexOf(body), mac]), body_hash);
          assert.equal(await macOfHex(router, key_hex, hexOf(message), mac), signature);
        }
      }
    });

    it("is called equal only to itself", async () => {
      const router = await load();
      const right = "0123456789abcdef".repeat(4);
      const same = (given: string | number | undefined) =>
        router.call("ClaudeRelaySame", [right, given]);
      assert.equal(await same(right), true);
      for (const given of [
        `${right.slice(1)}0`,
        right.slice(0, 63),
        `${right}0`,
        "",
        undefined,
        7,
        right.toUpperCase(),
      ]) {
        assert.equal(await same(given), false, String(given));
      }
      for (const short of ["", "ab", "0123456789abcdef"]) {
        assert.equal(await router.call("ClaudeRelaySame", [short, short]), false);
      }
    });

    it("uses SHA-512 exactly where the router's own answers right", async () => {
      assert.equal(
        (await load()).global("ClaudeRelayMacName"),
        sha512 ? "hmac-sha512" : "hmac-sha256",
      );
    });
  });

  describe(`install.rsc on RouterOS ${version}`, () => {
    it("makes three scripts and two scheduler entries, none with more than read, test and ftp", async () => {
      const router = await installedRouter(kind);
      const scripts = router.rows("/system script");
      assert.deepEqual(scripts.map(({ name }) => name).sort(), [
        "bot-config",
        "modules/claude-relay",
        "modules/claude-relay-hmac",
      ]);
      const entries = router.rows("/system scheduler");
      assert.deepEqual(
        entries.map((entry) => [entry["name"], entry["start-time"]]),
        [
          ["claude-relay-startup", "startup"],
          ["claude-relay-interval", "00:07:00"],
        ],
      );
      for (const row of [...scripts, ...entries]) {
        assert.equal(row["policy"], "read,test,ftp");
      }
    });

    it("closes with the recipe that the command line prints, and says what to paste first", async () => {
      const { put } = await installedRouter(kind);
      const said = put.join("\n");
      assert.match(
        said,
        /Installed\. Now paste the lines that `claude-relay router add NAME` printed/,
      );
      assert.ok(said.includes(recipe.join("\n")), said);
      assert.match(said, /To see whether this router has all it needs: \/import selftest\.rsc$/);
    });

    it("upgrades the modules and keeps the owner's settings", async () => {
      const router = await installedRouter(kind);
      const own = ':global ClaudeRelayHandshakeSecret "mine"';
      await router.run(
        `/system/script/set [find where name="bot-config"] source=${JSON.stringify(own)}\n` +
          '/system/script/set [find where name="modules/claude-relay"] source="old"',
      );
      await router.run("/import install.rsc");
      assert.equal(sourceOf(router, "bot-config"), own);
      assert.equal(sourceOf(router, "modules/claude-relay"), textOf("modules/claude-relay.rsc"));
      assert.equal(router.rows("/system scheduler").length, 2);
    });

    it("leaves another project's bot-config alone", async () => {
      const router = createRouter(kind);
      upload(router);
      await router.run(
        '/system/script/add name=bot-config source=":put theirs"\n/import install.rsc',
      );
      assert.equal(sourceOf(router, "bot-config"), ":put theirs");
      assert.equal(sourceOf(router, "claude-relay-config"), textOf("claude-relay-config.rsc"));
    });

    it("changes nothing when a file is missing or was cut short on its way", async () => {
      for (const spoil of ['/file/remove [find where name="claude-relay-hmac.rsc"]', ""]) {
        const router = createRouter(kind);
        upload(router);
        if (spoil === "") {
          router.saveFile("claude-relay.rsc", textOf("modules/claude-relay.rsc").slice(0, 20_000));
        }
        await assert.rejects(router.run(`${spoil}\n/import install.rsc`), /upload/);
        assert.deepEqual(router.rows("/system script"), []);
      }
    });

    it("removes what it made, and the settings only when told to purge", async () => {
      const router = await installedRouter(kind);
      await configure(router, {});
      await router.run(':global ClaudeRelayInstall "remove"\n/import install.rsc');
      assert.deepEqual(
        router.rows("/system script").map(({ name }) => name),
        ["bot-config"],
      );
      assert.deepEqual(router.rows("/system scheduler"), []);
      assert.equal(router.global("ClaudeRelayAsk"), undefined);
      await router.run(':global ClaudeRelayInstall "purge"\n/import install.rsc');
      assert.deepEqual(router.rows("/system script"), []);
      await assert.rejects(
        router.run(':global ClaudeRelayInstall "rm"\n/import install.rsc'),
        /must be install/,
      );
    });

    it("connects by itself after a reboot, and later when the relay was away", async (t) => {
      const relay = await startDouble(t, "a-secret-shared-by-all-routers");
      const router = await installedRouter(kind);
      const settings =
        `:global ClaudeRelayEnabled true; :global ClaudeRelayURL "${relay.url}"; ` +
        `:global ClaudeRelayHandshakeSecret "${relay.secret}"`;
      await router.run(
        `/system/script/set [find where name="bot-config"] source=${JSON.stringify(settings)}`,
      );
      await router.reboot();
      assert.equal(relay.handshakes.length, 1, JSON.stringify(router.log));
      await router.tick("claude-relay-interval");
      assert.equal(relay.handshakes.length, 1);
      await router.run(':global ClaudeRelaySession [:toarray ""]');
      await router.tick("claude-relay-interval");
      assert.equal(relay.handshakes.length, 2);
      assert.deepEqual(
        router.log.filter(({ topic }) => topic === "error"),
        [],
      );
    });
  });

  describe(`selftest.rsc on RouterOS ${version}`, () => {
    it("passes in the interpreter, asks nobody and leaves nothing behind", async () => {
      const router = await installedRouter(kind);
      router.put.length = 0;
      await router.run("/import selftest.rsc");
      assert.deepEqual(
        router.put.filter((line) => line.startsWith("FAIL")),
        [],
      );
      assert.equal(router.put.at(-1), "PASS: all of it");
      assert.ok(
        router.put.filter((line) => line.startsWith("PASS HMAC")).length >= (sha512 ? 6 : 3),
      );
      assert.deepEqual(router.fetches, []);
    });

    it("says FAIL when the hash is wrong", async () => {
      const router = await installedRouter(kind);
      const broken = textOf("modules/claude-relay-hmac.rsc").replace("428a2f98", "428a2f99");
      await router.run(
        `/system/script/set [find where name="modules/claude-relay-hmac"] source=${quoted(broken)}`,
      );
      await router.run("/import selftest.rsc");
      assert.match(router.put.at(-1) ?? "", /^FAIL: \d/);
    });
  });
}

/** HMAC of bytes given as hex: what ClaudeRelayMac does, without its step from text to hex. */
const macOfHex = async (
  router: Router,
  key: string,
  data: string,
  mac: string,
): Promise<string> => {
  const pads = (await router.call("ClaudeRelayPads", [key, mac])) as {
    inner: string;
    outer: string;
  };
  const inner = await router.call("ClaudeRelayHash", [pads.inner + data, mac]);
  return String(await router.call("ClaudeRelayHash", [pads.outer + String(inner), mac]));
};

const sourceOf = (router: Router, name: string) =>
  router.rows("/system script").find((row) => row["name"] === name)?.["source"];

/** A string literal of RouterOS. */
const quoted = (text: string): string =>
  `"${text.replace(/[\\"$]/g, "\\$&").replaceAll("\n", "\\n")}"`;
