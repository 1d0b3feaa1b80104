import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Part, Unreadable } from "./ast.ts";
import { parseScript } from "./parse-script.ts";

const firstValue = (text: string): Part | null | undefined =>
  parseScript(text)[0]?.args.at(-1)?.value;

describe("the RouterOS parser", () => {
  it("parts commands at semicolons and line ends, and skips comments", () => {
    const script = parseScript("/ip address print; :put 1\r\n# a comment; /user print\n\n;;print");
    assert.deepEqual(
      script.map(({ text, prefix }) => [text, prefix]),
      [
        ["/ip address print", "absolute"],
        [":put 1", "global"],
        ["print", "relative"],
      ],
    );
  });

  it("keeps named values, empty ones too, apart from positional ones", () => {
    const args = parseScript('/ip address set 0 comment= disabled=yes "x"')[0]?.args;
    assert.deepEqual(
      args?.map((arg) => arg.name),
      [null, null, null, null, "comment", "disabled", null],
    );
    assert.equal(args?.[4]?.value, null);
  });

  it("reads escapes as the router does", () => {
    const value = firstValue(String.raw`:put "\2Fuser \"a\" \$x \\ \_\t\C3\A9"`);
    assert.ok(value?.kind === "string");
    assert.equal(value.text, '/user "a" $x \\  \t\u00c3\u00a9');
    assert.deepEqual(value.parts, []);
  });

  it("finds commands, variables and expressions in a string", () => {
    const value = firstValue(':put "a $x b $[/user print] c $(1 + 2)"');
    assert.ok(value?.kind === "string");
    assert.deepEqual(
      value.parts.map((part) => part.kind),
      ["variable", "call", "group"],
    );
  });

  it("joins lines between words and in strings, and says that it did", () => {
    const script = parseScript(
      '/ip address \\\n   add address=\\\n  1.1.1.1/24 comment="a \\\n   b"',
    );
    assert.equal(script.length, 1);
    const args = script[0]?.args ?? [];
    assert.deepEqual(args[3], { name: "address", value: { kind: "word", text: "1.1.1.1/24" } });
    const comment = args[4]?.value;
    assert.ok(comment?.kind === "string" && comment.joined && comment.text === "a b");
  });

  it("reads a list where a list belongs and commands everywhere else", () => {
    assert.equal(firstValue(':put {1;2;"a"=3}')?.kind, "group");
    assert.equal(firstValue(":foreach i in={1;2}")?.kind, "group");
    assert.equal(firstValue(":foreach i in=$x do={:put 1}")?.kind, "block");
    assert.equal(firstValue(":onerror e in={:put 1}")?.kind, "block");
    assert.equal(firstValue("/ip address {print}")?.kind, "block");
  });

  it("refuses what two versions could read in two ways, and says why", () => {
    for (const [text, reason] of [
      ["/ip address print /user print", /second command on the same line/],
      ["/ip address print :put 1", /second command on the same line/],
      ["/ip address pri\\\nnt", /split over two lines/],
      ["# a \\\n:put 1", /comment ends in/],
      [':put "a\nb"', /runs over a line end/],
      [':put "cost $"', /dollar sign/],
      [":put (reboot)", /"reboot" in quotes/],
      [":put (1 2)", /side by side/],
      ["$f", /function kept in a variable/],
      [":put \\x", /only in quotes or at the end of a line/],
      [":put (>1)", /not expected to have ">" here/],
      [":put [/user print", /"\]" is missing/],
      [':put "a', /not closed/],
      [`${"{".repeat(40)}`, /nested deeper/],
    ] as const) {
      assert.throws(
        () => parseScript(text),
        (error) => error instanceof Unreadable && reason.test(error.message),
        text.slice(0, 40),
      );
    }
  });
});
