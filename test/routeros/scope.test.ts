import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRouter } from "./router.ts";

const run = (source: string) => createRouter().run(source);

describe("variables", () => {
  test("a control-flow body sees and changes the locals around it", async () => {
    assert.equal(await run(":local a 1; :if (true) do={ :set a ($a + 1) }; :return $a"), 2);
    assert.equal(
      await run(":local s 0; :for i from=1 to=5 do={ :set s ($s + $i) }; :return $s"),
      15,
    );
  });

  test("a local ends with its block", async () => {
    await assert.rejects(run(":if (true) do={ :local a 1 }; :put $a"), /not declared/);
    assert.equal(await run(":local x 1; { :local x 2 }; :return $x"), 1);
  });

  test("a function does not see outer locals", async () => {
    await assert.rejects(
      run(":local secret 1; :local f do={ :return $secret }; :put [$f]"),
      /does not see a local/,
    );
  });

  test("a function sees a global only when it declares it itself", async () => {
    const define =
      ":global g 7; :global bad do={ :return $g }; :global good do={ :global g; :return $g }; ";
    assert.equal(await run(`${define} :return [$good]`), 7);
    await assert.rejects(run(`${define} :return [$bad]`), /does not declare this global/);
  });

  test("no script catches the use of a global it did not declare", async () => {
    const source = ":global g 7; :global f do={ :onerror e in={ :put $g } do={} }; $f";
    await assert.rejects(run(source), { name: "ScriptFault" });
  });

  test(":set of an undeclared variable is a fault", async () => {
    await assert.rejects(run(":set nowhere 1"), /not declared/);
  });

  test(":global without a value declares and keeps what is there", async () => {
    const router = createRouter();
    await router.run(":global kept 5");
    assert.equal(await router.run(":global kept; :return $kept"), 5);
    await assert.rejects(router.run(":return $kept"), /not declared/);
    assert.equal(await router.run(":global fresh; :return [:typeof $fresh]"), "nothing");
  });

  test("arguments come as $1 and by name; a bare word is a string", async () => {
    const router = createRouter();
    await router.run(":global f do={ :return ([:typeof $1] . $1 . [:typeof $b] . $b) }");
    assert.equal(await router.run(":global f; :return [$f 5 b=true]"), "str5strtrue");
    assert.equal(await router.run(":global f; :return [$f (5) b=(1 = 1)]"), "num5booltrue");
    assert.equal(await router.call("f", [5], { b: true }), "num5booltrue");
  });

  test("a bare 0x argument is text, a bracketed one a number", async () => {
    const f = ":local f do={ :return [:typeof $1] }; ";
    assert.equal(await run(`${f} :return [$f 0x10]`), "str");
    assert.equal(await run(`${f} :return [$f (0x10)]`), "num");
  });

  test("an argument that was not given is nothing", async () => {
    assert.equal(await run(":local f do={ :return [:typeof $user] }; :return [$f]"), "nothing");
    assert.equal(await run(":local f do={ :return [:typeof $2] }; :return [$f 1]"), "nothing");
  });

  test("a function calls itself only when it declares itself", async () => {
    const body = ":if ($1 <= 1) do={ :return 1 }; :return ($1 * [$fact ($1 - 1)])";
    assert.equal(
      await run(`:global fact do={ :global fact; ${body} }; :return [$fact 10]`),
      3628800,
    );
    await assert.rejects(
      run(`:global fact do={ ${body} }; :return [$fact 10]`),
      /does not declare/,
    );
  });

  test("calling what is no function is a fault", async () => {
    await assert.rejects(run(":global later; $later 1"), /called but is nothing/);
  });

  test("a function is an array to :typeof, parsed text is code", async () => {
    assert.equal(await run(":local f do={ :return 1 }; :return [:typeof $f]"), "array");
    assert.equal(await run(':local f [:parse ":return 1"]; :return [:typeof $f]'), "code");
  });

  test("globals vanish at reboot", async () => {
    const router = createRouter();
    await router.run(":global g 1");
    await router.reboot();
    assert.equal(router.global("g"), undefined);
  });
});

describe("arrays", () => {
  test("an unquoted key with _ reads back empty", async () => {
    assert.equal(await run(':local a ({b_c=1}); :return [:typeof ($a->"b_c")]'), "nothing");
    assert.equal(await run(':local a ({"b_c"=1}); :return ($a->"b_c")'), 1);
  });

  test("elements are read and written with ->, deep ones too", async () => {
    const source = ':local a ({"x"={"y"=1}}); :set ($a->"x"->"y") 2; :return ($a->"x"->"y")';
    assert.equal(await run(source), 2);
  });

  test("an array given to a function is not changed by it", async () => {
    const source =
      ':local f do={ :local b $1; :set ($b->"k") 2 }; :local a ({"k"=1}); $f $a; :return ($a->"k")';
    assert.equal(await run(source), 1);
  });

  test("keys are sorted, whatever order they were written in", async () => {
    assert.equal(await run(':return [:tostr ({"b"=1;"a"=2;5})]'), "5;a=2;b=1");
    const keys = ':local s ""; :foreach k,v in=({"b"=1;"a"=2}) do={ :set s "$s$k$v" }; :return $s';
    assert.equal(await run(keys), "a2b1");
  });

  test("a missing key is nothing, and so is what would be under it", async () => {
    assert.equal(await run(':local a ({"k"=1}); :return [:typeof ($a->"x"->"y")]'), "nothing");
  });

  test("setting a key to nothing takes it away", async () => {
    assert.equal(await run(':local a ({"k"=1;"l"=2}); :set ($a->"k"); :return [:len $a]'), 1);
  });

  test('[:toarray ""] is the empty array; an empty {} argument is not established', async () => {
    assert.equal(await run(':return [:len [:toarray ""]]'), 0);
    await assert.rejects(run(":local a {}"), { name: "SyntaxFault" });
  });

  test("the comma joins arrays and appends", async () => {
    assert.deepEqual(
      await run(":local a {1;2}; :set a ($a, 3); :return ($a, ({4;5}))"),
      [1, 2, 3, 4, 5],
    );
  });
});
