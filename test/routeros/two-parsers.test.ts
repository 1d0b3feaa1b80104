import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Unreadable } from "../../packages/server/src/routers/command/ast.ts";
import { parseScript as parseForPolicy } from "../../packages/server/src/routers/command/parse-script.ts";
import { type CommandStatement, commandsIn } from "./commands-in.ts";
import { createGrammar } from "./grammar.ts";
import { parseScript } from "./parser.ts";

const folder = join(import.meta.dirname, "../../routeros");
const grammar = createGrammar("7.24");
const shipped = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".rsc"))
  .flatMap((name) => commandsIn(parseScript(readFileSync(join(folder, name), "latin1"), grammar)));

const written = [
  '/ip address print where interface="ether1" and disabled=no',
  '/ip/address/add address=10.0.0.1/24 interface=bridge comment="a \\"b\\""',
  '/system/script/set [find where name~"^x"] source=":put \\$a;\\n:put \\"b\\""',
  '/tool fetch url="http://10.0.0.1:8899/health" http-method=get \\\n  output=user as-value',
  ":foreach k,v in=[/ip address find] do={ /ip address remove $v }",
  ':if ([:len [/file find where name="a"]] > 0) do={ /file remove a } else={ :log info "none" }',
  ':onerror e in={ /system script run a } do={ :put "failed: $e $(1 + 2) $[:len $e]" }',
].flatMap((source) => commandsIn(parseScript(source, grammar)));

/** The policy's reading of one command; undefined where it refuses functions on principle. */
function policyReading(command: CommandStatement) {
  try {
    return parseForPolicy(command.text);
  } catch (thrown) {
    if (thrown instanceof Unreadable && thrown.message.includes("a function kept in a variable")) {
      return undefined;
    }
    throw new Error(`the policy cannot read ${command.text}`, { cause: thrown });
  }
}

test("the policy's parser reads every command we ship as this one does", () => {
  let compared = 0;
  for (const command of [...shipped, ...written]) {
    const read = policyReading(command);
    const [first] = read ?? [];
    if (read === undefined || first === undefined || first.prefix === "relative") {
      continue;
    }
    compared++;
    assert.equal(read.length, 1, command.text);
    const words = first.args
      .flatMap(({ name, value }) => (name === null && value?.kind === "word" ? [value.text] : []))
      .flatMap((word) => word.split("/"));
    const path = command.name.replace(/^[:/]/, "").split(" ");
    assert.deepEqual(words.slice(0, path.length), path, command.text);
    const names = new Set(first.args.map(({ name }) => name));
    const unnamed = grammar.signature(command.name)?.positional.map(({ name }) => name) ?? [];
    for (const parameter of command.parameters.keys()) {
      const seen = names.has(parameter) || unnamed.includes(parameter);
      assert.ok(seen, `${parameter}= in ${command.text}`);
    }
  }
  assert.ok(compared > 100, `compared ${compared}`);
});
