import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Judgement, judgeScript } from "./judge.ts";
import { hostileCommands } from "./testing/hostile-commands.ts";
import { ordinaryReads, ordinaryWrites } from "./testing/ordinary-commands.ts";

/** Ways to hide a command in something harmless. `#` stands for it. */
const wrappings = [
  "#",
  "/ip address print; #",
  "/ip address print\n#",
  "#\n/ip address print",
  "{#\n}",
  "{ :put 1; # \n}",
  ":do {#\n}",
  ":do {:put 1} on-error={#\n}",
  ":if (true) do={#\n}",
  ":if (false) do={:put 1} else={#\n}",
  ":foreach i in={1;2} do={#\n}",
  ":for i from=1 to=2 do={#\n}",
  ":onerror e in={#\n} do={:put 1}",
  ":time {#\n}",
  ":put [#]",
  ":put [#\n]",
  ':put "a $[#] b"',
  ":put ([#])",
  ":put {1;[#]}",
  ":local x [#]",
  ":local f do={#\n}",
  "/ip address print where disabled=[#]",
  "/ip address print where interface=[#]",
  "/ip address get [#] address",
  "/ip address { print; #\n}",
  "# harmless\n#",
] as const;

describe("judging", () => {
  it("never lets a hostile command pass as a read in a harmless wrapping", () => {
    const wrapping = fc.constantFrom(...wrappings);
    const hostile = fc.constantFrom(...hostileCommands.filter((text) => isCommand(text)));
    const property = fc.property(hostile, fc.array(wrapping, { maxLength: 4 }), (text, wraps) => {
      assert.notEqual(judgeScript(wraps.reduce(wrap, text)).kind, "read");
    });
    fc.assert(property, { numRuns: 20_000 });
  });

  it("keeps the kind of an ordinary read in the same wrappings", () => {
    for (const wrapping of wrappings) {
      const { kind, reason } = judgeScript(wrap("/interface print", wrapping));
      assert.equal(kind, "read", `${wrapping}: ${reason}`);
    }
  });

  it("takes the worst of commands that are joined", () => {
    const rank = { read: 0, write: 1, forbidden: 2 };
    const absolute = [...ordinaryReads, ...ordinaryWrites, "/user print", "/system reboot"].filter(
      (text) =>
        text.startsWith("/") && !text.startsWith("/ip address;") && !/ping|traceroute/.test(text),
    );
    const scripts = fc.array(fc.constantFrom(...absolute), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(scripts, fc.constantFrom(";", "; ", "\n", "\r\n", " ;\n\n"), (texts, joint) => {
        const worst = Math.max(...texts.map((text) => rank[judgeScript(text).kind]));
        assert.equal(rank[judgeScript(texts.join(joint)).kind], worst);
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws and gives a reason, whatever bytes come", () => {
    const pieces = fc.constantFrom(
      ...'[ ] { } ( ) " \\ $ ; : / .. = # ~ ! > < -> , \n \r\n \t * where do={ print /ip address find :put $[ $( && set'.split(
        " ",
      ),
      " ",
      "\u0000",
      "\u200b",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join("")),
      fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(" ")),
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    );
    fc.assert(
      fc.property(text, (script) => {
        const judgement = judgeScript(script);
        assert.ok(judgement.reason.length > 0);
        checkConsistent(judgement);
      }),
      { numRuns: 20_000 },
    );
  });

  it("never reads a text cut off in a string, a bracket or a block, and stays consistent where it is cut", () => {
    const cut = fc
      .constantFrom(...ordinaryWrites)
      .chain((text) => fc.nat(text.length).map((at) => text.slice(0, at)));
    fc.assert(fc.property(cut, (text) => checkConsistent(judgeScript(text))));
    for (const text of [
      '/ip address print where comment="a',
      ":put [/ip address find",
      "{ /ip address print",
    ]) {
      assert.equal(judgeScript(text).kind, "forbidden");
    }
  });

  it("names every command with its full path, its verb and what it is", () => {
    const { commands } = judgeScript("/ip addr rem [find interface=ether1]; :put 1");
    assert.deepEqual(
      commands.map(({ path, verb, kind }) => ({ path, verb, kind })),
      [
        { path: "/ip/address", verb: "remove", kind: "write" },
        { path: "/ip/address", verb: "find", kind: "read" },
        { path: ":", verb: "put", kind: "read" },
      ],
    );
    assert.equal(commands[1]?.text, "find interface=ether1");
  });

  it("names the columns that go without a code", () => {
    for (const menu of ["/interface wifi", "/interface wireless", "/interface lte", "/ip cloud"]) {
      const [, columns] = / (proplist=[^ ]+) /.exec(judgeScript(`${menu} print`).reason) ?? [];
      assert.equal(judgeScript(`${menu} print ${columns}`).kind, "read", menu);
    }
  });

  it("forbids what a changed menu would run later, unless it is written out and allowed", () => {
    for (const value of [
      '"/system reboot"',
      '"\\2Fsystem reboot"',
      '":put 1\\n/system reboot"',
      '"/ppp profile set 0 on-up=\\"/system reboot\\""',
      "reboot",
      "$x",
      '"$[/system identity get name]"',
      "{/system reboot}",
      '"/system \\\n reboot"',
    ]) {
      for (const name of ["up-script", "up-s", "u", "on-up", "on", "on-anything", "script"]) {
        const text = `/tool netwatch set 0 ${name}=${value}`;
        assert.equal(judgeScript(text).kind, "forbidden", text);
      }
    }
    const fine = judgeScript('/tool netwatch set 0 up-script=":log info up"');
    assert.equal(fine.kind, "write");
  });

  it("tells in the reason what is forbidden and what to do instead", () => {
    assert.match(judgeScript("/sys reb").reason, /\/system\/reboot .*WinBox/);
    assert.match(judgeScript("/ip s p").reason, /"s" may stand for .*write it out/);
    assert.match(judgeScript("/ping 8.8.8.8").reason, /add count=4/);
    assert.match(judgeScript("/ip address print\u200b").reason, /invisible character U\+200B/);
    assert.match(judgeScript("/ip \u0430ddress print").reason, /U\+0430 outside quotes/);
  });
});

const checkConsistent = ({ kind, commands }: Judgement): void => {
  if (kind === "read") {
    assert.ok(commands.length > 0 && commands.every((command) => command.kind === "read"));
  }
};

/**
 * Some hostile texts are hostile only alone: an empty one, one that goes on in the next line, one that is too long
 * already, and one with a bracket or a quote too few, which the wrapping may mend.
 */
const isCommand = (text: string): boolean => {
  const harmless = text.startsWith("#") || text.endsWith("\\") || text.length > 4_000;
  return !harmless && text.replaceAll(/[\s;/]/g, "") !== "" && isBalanced(text);
};

const isBalanced = (text: string): boolean => {
  const count = (char: string) => text.split(char).length;
  return (
    count("[") === count("]") &&
    count("(") === count(")") &&
    count("{") === count("}") &&
    count('"') % 2 === 1
  );
};

const wrap = (text: string, wrapping: string): string => {
  const at = wrapping.lastIndexOf("#");
  return wrapping.slice(0, at) + text + wrapping.slice(at + 1);
};
