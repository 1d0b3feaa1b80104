import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRouter } from "./router.ts";

const run = (source: string, version = "7.15") => createRouter({ version }).run(source);

describe("control flow", () => {
  test(":return inside in= of :onerror ends only that block, and its value is lost", async () => {
    const source =
      ':local f do={ :onerror e in={ :return "early" } do={}; :return "late" }; :return [$f]';
    assert.equal(await run(source), "late");
    assert.equal(await run(":return [:onerror e in={ :return true } do={}]"), false);
  });

  test(":onerror answers whether there was an error", async () => {
    assert.equal(await run(':return [:onerror e in={ :error "x" } do={}]'), true);
    assert.equal(await run(":return [:onerror e in={ :local x 1 } do={}]"), false);
  });

  test(":onerror tells the message, with its place since 7.21", async () => {
    const source = ':local m ""; :onerror e in={ :error "bad" } do={ :set m $e }; :return $m';
    assert.equal(await run(source), "bad");
    assert.equal(await run(source, "7.21"), "bad (:error; line 1)");
  });

  test(":onerror err,attr is there only since 7.22", async () => {
    const source = ':onerror err,attr in={ :error "x" } do={ :put $err }';
    await assert.rejects(run(source), /since 7\.22/);
    await run(source, "7.22");
  });

  test(":do on-error= catches and ends the loop", async () => {
    const source =
      ':local i 0; :do { :set i ($i + 1); :if ($i = 3) do={ :error "x" } } on-error={} while=($i < 5); :return $i';
    assert.equal(await run(source), 3);
  });

  test("a syntax error cannot be caught: nothing of the script runs", async () => {
    const router = createRouter();
    await assert.rejects(router.run(':put "ran"; :onerror e in={ :nonexistent } do={}'), {
      name: "SyntaxFault",
    });
    assert.deepEqual(router.put, []);
  });

  test("a syntax error in parsed text is caught", async () => {
    assert.equal(await run(':return [:onerror e in={ :parse ":nonexistent" } do={}]'), true);
  });

  test("and, or evaluate both sides", async () => {
    const source =
      ":global n 0; :global f do={ :global n; :set n ($n + 1); :return true }; :if (true || [$f]) do={}; :return $n";
    assert.equal(await run(source), 1);
  });

  test("a condition is a boolean, not text or nothing", async () => {
    await assert.rejects(run(':if ("text") do={}'), /condition/);
    await assert.rejects(run(":local x; :if ($x) do={}"), /nothing where a condition/);
  });

  test(":if in brackets gives what it returns", async () => {
    assert.equal(
      await run(":local x [:if (true) do={ :return 1 } else={ :return 2 }]; :return $x"),
      1,
    );
  });

  test("else on a line of its own does not parse", async () => {
    await assert.rejects(run(":if (true) do={\n}\nelse={ }"), { name: "SyntaxFault" });
  });

  test("the end of :for is inclusive; counting to less without a step is a fault", async () => {
    assert.equal(
      await run(':local s ""; :for i from=3 to=1 step=-1 do={ :set s "$s$i" }; :return $s'),
      "321",
    );
    await assert.rejects(run(":for i from=0 to=-1 do={}"), { name: "ScriptFault" });
  });

  test(":while and :do while= loop; the latter at least once", async () => {
    assert.equal(await run(":local i 0; :while ($i < 3) do={ :set i ($i + 1) }; :return $i"), 3);
    assert.equal(await run(":local i 0; :do { :set i ($i + 1) } while=(false); :return $i"), 1);
  });

  test(":retry tries max times, with its delay", async () => {
    const router = createRouter();
    const source =
      ':local n 0; :retry command={ :set n ($n + 1); :if ($n < 3) do={ :error "x" } } delay=2 max=5; :return $n';
    assert.equal(await router.run(source), 3);
    assert.deepEqual(router.delays, [2000, 2000]);
    await assert.rejects(router.run(':retry command={ :error "never" } delay=1 max=2'), /never/);
  });

  test(":return wants a value", async () => {
    await assert.rejects(run(":local f do={ :return }"), /missing value/);
  });

  test(":quit ends the script and no one catches it", async () => {
    const router = createRouter();
    await router.run(':onerror e in={ :quit } do={ :put "caught" }; :put "after"');
    assert.deepEqual(router.put, []);
  });
});

describe("what a version has", () => {
  test(":break and :continue are there only since 7.22", async () => {
    const source =
      ":local n 0; :foreach x in={1;2;3} do={ :if ($x = 2) do={ :break }; :set n $x }; :return $n";
    await assert.rejects(run(source, "7.21"), /bad command name/);
    assert.equal(await run(source, "7.22"), 1);
  });

  test(":exit is there only since 7.22, :range since 7.17", async () => {
    await assert.rejects(run(":exit"), /bad command name/);
    await assert.rejects(run(":put [:range from=1 to=3]"), /bad command name/);
    assert.deepEqual(await run(":return [:range from=1 to=3]", "7.17"), [1, 2, 3]);
  });

  test("there is no :replace in any version", async () => {
    for (const version of ["7.15", "7.24"]) {
      await assert.rejects(run(':put [:replace "a" "b"]', version), /bad command name/);
    }
  });

  test("an unknown parameter keeps the script from loading; since 7.23 the command fails", async () => {
    const source = ':put "a"; :onerror e in={ :rndstr size=5 } do={ :put "caught" }';
    const old = createRouter({ version: "7.22" });
    await assert.rejects(old.run(source), { name: "SyntaxFault" });
    assert.deepEqual(old.put, []);
    const late = createRouter({ version: "7.23" });
    await late.run(source);
    assert.deepEqual(late.put, ["a", "caught"]);
  });

  test("options=json.no-string-conversion keeps a script from loading before 7.17", async () => {
    const source = ':return [:serialize to=json value="12" options=json.no-string-conversion]';
    await assert.rejects(run(source, "7.16"), { name: "SyntaxFault" });
    assert.equal(await run(source, "7.17"), '"12"');
  });
});

test("a script of 64 KB or more is refused", async () => {
  await assert.rejects(run(`:put "${"x".repeat(66_000)}"`), /too long/);
});
