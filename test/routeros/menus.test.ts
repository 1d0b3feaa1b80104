import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRouter } from "./router.ts";

describe("menus", () => {
  test("/ip cloud has dns-name and no ddns-name", async () => {
    const router = createRouter({
      cloud: { dnsName: "x.sn.mynetname.net", publicAddress: "203.0.113.7" },
    });
    assert.equal(await router.run(":return [/ip cloud get dns-name]"), "x.sn.mynetname.net");
    assert.equal(await router.run(":return [/ip/cloud/get public-address]"), "203.0.113.7");
    await assert.rejects(router.run(":put [/ip cloud get ddns-name]"), /value-name/);
    await assert.rejects(router.run("/ip cloud set ddns-name=x"), { name: "SyntaxFault" });
  });

  test("the identity, serial number and version are what the test says", async () => {
    const router = createRouter({ identity: "office", serial: "HEX123", version: "7.20.8" });
    assert.equal(await router.run(":return [/system identity get name]"), "office");
    assert.equal(await router.run(":return [/system/routerboard get serial-number]"), "HEX123");
    assert.match(String(await router.run(":return [/system resource get version]")), /^7\.20\.8/);
    await router.run('/system identity set name="new name"');
    assert.deepEqual(router.rows("/system identity"), [{ name: "new name" }]);
  });

  test("scripts are added, changed, run, found and removed", async () => {
    const router = createRouter();
    await router.run('/system script add name=a source=":global g 1"');
    await router.run("/system script run a");
    assert.equal(router.global("g"), 1);
    await router.run('/system/script/set [find where name="a"] source={:global g 2}');
    await router.run("/system script run [find name=a]");
    assert.equal(router.global("g"), 2);
    await router.run("/system script remove [find name=a]");
    await assert.rejects(router.run("/system script run a"), /no such item.*\/system\/script\/run/);
  });

  test("two rows do not share a name; removing none is no error", async () => {
    const router = createRouter();
    await router.run("/system script add name=a");
    await assert.rejects(router.run("/system script add name=a"), /already have/);
    await router.run('/system script remove [find where name="nobody"]');
  });

  test("the numbers print shows lead nowhere in a script", async () => {
    const router = createRouter();
    await router.run("/system script add name=a");
    await assert.rejects(router.run("/system script remove 0"), /no such item/);
  });

  test("a filter sees its own property in a variable of that name: a fault", async () => {
    const router = createRouter();
    await assert.rejects(
      router.run(':local name "a"; :put [/system script find where name=$name]'),
      {
        name: "SyntaxFault",
      },
    );
    await router.run(':local wanted "a"; :put [/system script find where name=$wanted]');
  });

  test("a filter may ask for several things, or for either", async () => {
    const router = createRouter();
    for (const name of ["ab", "ac", "bc"]) {
      await router.run(`/system script add name=${name} comment=x`);
    }
    const count = (where: string) =>
      router.run(`:return [:len [/system script find where ${where}]]`);
    assert.equal(await count('name~"^a" and comment="x"'), 2);
    assert.equal(await count('name="ab" or name="bc"'), 2);
    assert.equal(await count('name!="ab"'), 2);
  });

  test("an unknown menu, command or property keeps the script from loading", async () => {
    for (const source of ["/user print", "/system script explode", "/system script add nam=a"]) {
      const router = createRouter();
      await assert.rejects(router.run(`:put "ran"; ${source}`), { name: "SyntaxFault" });
      assert.deepEqual(router.put, []);
    }
  });

  test("a menu on a line of its own is where the next lines stand", async () => {
    const router = createRouter();
    await router.run("/system script\nadd name=a\nset [find name=a] comment=c");
    assert.deepEqual(
      router.rows("/system script").map((row) => row["comment"]),
      ["c"],
    );
  });

  test("at boot runs what starts up without an interval, and only that", async () => {
    const router = createRouter();
    const add = "/system scheduler add start-time=startup";
    await router.run(`${add} name=once on-event={:global once 1}`);
    await router.run(`${add} name=both interval=5m on-event={:global both 1}`);
    await router.reboot();
    assert.equal(router.global("once"), 1);
    assert.equal(router.global("both"), undefined);
    await router.tick("both");
    assert.equal(router.global("both"), 1);
  });

  test("what a scheduled script throws stands only in the log", async () => {
    const router = createRouter();
    await router.run('/system scheduler add name=s on-event=":error bad"');
    await router.tick("s");
    assert.match(String(router.log[0]?.message), /bad/);
  });

  test("/system script environment shows the globals and can remove them", async () => {
    const router = createRouter();
    await router.run(':global g "v"');
    const find = '[/system script environment find where name="g"]';
    assert.equal(await router.run(`:return [/system script environment get ${find} value]`), "v");
    await router.run(`/system/script/environment/remove ${find}`);
    assert.equal(router.global("g"), undefined);
  });

  test("/import runs a file", async () => {
    const router = createRouter();
    router.saveFile("a.rsc", ":global g 1");
    await router.run("/import a.rsc");
    assert.equal(router.global("g"), 1);
    await assert.rejects(router.run("/import file-name=none.rsc"), /no such file/);
  });

  test(":execute runs beside the script: its errors are not caught by it", async () => {
    const router = createRouter();
    const source = ':return [:onerror e in={ :execute ":global g 1; :error \\"x\\"" } do={}]';
    assert.equal(await router.run(source), false);
    await router.settled();
    assert.equal(router.global("g"), 1);
    assert.equal(router.log.at(-1)?.topic, "error");
  });

  test("a test sees every menu command that ran, once", async () => {
    const router = createRouter();
    await router.run(
      "/ip address print; /system script add name=a source=[/system identity get name]",
    );
    assert.deepEqual(
      router.executed.map(({ command }) => command),
      ["/ip address print", "/system identity get", "/system script add"],
    );
  });

  test(":put and :log are kept, as text", async () => {
    const router = createRouter();
    await router.run(':put "é"; :log info "hello"; /log warning "w"');
    assert.deepEqual(router.put, ["é"]);
    assert.deepEqual(router.log, [
      { topic: "info", message: "hello" },
      { topic: "warning", message: "w" },
    ]);
  });
});
