import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createRouter } from "./router.ts";

const run = (source: string, version = "7.15") => createRouter({ version }).run(source);

describe("numbers", () => {
  test("wrap at 64 signed bits", async () => {
    assert.equal(await run(":return (9223372036854775807 + 1)"), -9223372036854775808n);
    assert.equal(await run(":return (1 << 63)"), -9223372036854775808n);
    assert.equal(await run(":return (-8 >> 1)"), -4);
  });

  test("bind from loose to tight: | ^ & + * and unary", async () => {
    assert.equal(await run(":return (1 | 6 ^ 2 & 3 + 4 * 2)"), 1 | (6 ^ (2 & (3 + 4 * 2))));
    assert.equal(await run(":return (1 << 2 | 1)"), 1 << (2 | 1));
    assert.equal(await run(":return (256 >> 4 >> 1)"), 256 >> (4 >> 1));
    assert.equal(await run(':return ("a" . 1 + 2 = "a3")'), true);
    assert.equal(await run(":return (!false and 1 = 2 or true)"), true);
    // Unary binds tighter than ->.
    await assert.rejects(run(':local a ({"n"=5}); :return (-$a->"n")'), /array as a number/);
  });

  test("divide to whole numbers, and not by zero", async () => {
    assert.equal(await run(":return (10 / 3)"), 3);
    await assert.rejects(run(":return (1 / 0)"), /division by zero/);
  });

  test("take a string of digits, but not nothing", async () => {
    assert.equal(await run(':return ("5" + 10)'), 15);
    assert.equal(await run(':return (5 = "5")'), true);
    await assert.rejects(run(":local x; :return ($x + 1)"), /nothing where a number/);
  });

  test("agree with JavaScript's BigInt", async () => {
    const big = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });
    await fc.assert(
      fc.asyncProperty(
        big,
        big,
        fc.constantFrom("+", "-", "*", "&", "|", "^"),
        async (a, b, op) => {
          const results = {
            "+": a + b,
            "-": a - b,
            "*": a * b,
            "&": a & b,
            "|": a | b,
            "^": a ^ b,
          };
          const got = await run(`:return [:tostr ((${a}) ${op} (${b}))]`);
          assert.equal(got, String(BigInt.asIntN(64, results[op as "+"])));
        },
      ),
      { numRuns: 100 },
    );
  });

  test(":tonum reads 0x, and gives nil for what is no whole number", async () => {
    assert.equal(await run(':return [:tonum ("0x" . "ff")]'), 255);
    for (const text of ["abc", "23.8", " 100 ", ""]) {
      assert.equal(await run(`:return [:typeof [:tonum "${text}"]]`), "nil");
    }
  });
});

describe("strings", () => {
  test("hold bytes", async () => {
    assert.equal(await run(':return [:len "é"]'), 2);
    assert.equal(await run(':return "\\C3\\A9"'), "é");
  });

  test("know upper-case hex escapes only", async () => {
    assert.equal(await run(':return "\\41\\0A"'), "A\n");
    await assert.rejects(run(':return "\\e2"'), /bad escape/);
  });

  test("hold variables, $( ) and $[ ], unless the $ is escaped", async () => {
    const source = ':local n 2; :return "\\$n $n $($n * 2) $[:len $n] \\"q\\" \\\\ \\t"';
    assert.equal(await run(source), '$n 2 4 1 "q" \\ \t');
  });

  test("end on their line unless it is joined", async () => {
    await assert.rejects(run(':put "a\nb"'), { name: "SyntaxFault" });
    assert.equal(await run(':return "a\\\n   b"'), "ab");
    assert.equal(await run(':return ("a" . \\\n "b")'), "ab");
  });

  test("compare only as same or not", async () => {
    assert.equal(await run(':return ("a" = "a")'), true);
    await assert.rejects(run(':return ("a" < "b")'), /= and !=/);
  });

  test(". outside of brackets is no concatenation", async () => {
    await assert.rejects(run(':put "a" . "b"'), { name: "SyntaxFault" });
  });

  test(":pick ends before its end; a failed :find is nil", async () => {
    assert.equal(await run(':return [:pick "abcde" 1 3]'), "bc");
    assert.equal(await run(':return [:typeof [:find "abc" "x"]]'), "nil");
    assert.equal(await run(':return [:find "abcabc" "a" 0]'), 3);
    assert.equal(await run(':return [:find "abcabc" "a" -1]'), 0);
  });

  test("~ is POSIX: (?i) and \\d are not there", async () => {
    assert.equal(await run(':return ("rs_0f" ~ "^rs_[0-9a-f]+\\$")'), true);
    await assert.rejects(run(':return ("A" ~ "(?i)a")'), { name: "ScriptFault" });
    await assert.rejects(run(':return ("1" ~ "\\\\d")'), { name: "ScriptFault" });
  });

  test("nothing is the empty text in a concatenation, and no match for =", async () => {
    assert.equal(await run(':local x; :return ("a" . $x)'), "a");
    assert.equal(await run(':local x; :return ($x = "a")'), false);
    await assert.rejects(run(':local x; :return ($x = "")'), /use :typeof or :len/);
  });
});

describe(":convert", () => {
  test("hashes with md5 and sha512 in raw, hex and base64", async () => {
    const sha = createHash("sha512").update("abc").digest("hex");
    assert.equal(await run(':return [:convert "616263" from=hex to=hex transform=sha512]'), sha);
    const md5 = createHash("md5").update("abc").digest("base64");
    assert.equal(await run(':return [:convert "abc" from=raw to=base64 transform=md5]'), md5);
    assert.equal(await run(':return [:convert "a b/" from=raw to=url]'), "a%20b%2F");
    assert.equal(await run(':return [:convert "MFRGG===" from=base32 to=raw]'), "abc");
  });

  test("has no sha256, and no sha512 on a router without it", async () => {
    await assert.rejects(run(':put [:convert "a" from=raw to=hex transform=sha256]'), /transform/);
    const source = ':put [:convert "a" from=raw to=hex transform=sha512]';
    await assert.rejects(createRouter({ sha512: false }).run(source), /transform/);
  });

  test("guesses without from=: a fault", async () => {
    await assert.rejects(run(':put [:convert "10" to=hex]'), { name: "ScriptFault" });
  });
});

describe("JSON", () => {
  test("a string of digits becomes a number unless told otherwise", async () => {
    const value = ':local v ({"n"=1234;"s"="1234";"t"="a\\"b"}); ';
    assert.equal(
      await run(`${value} :return [:serialize to=json value=$v]`),
      '{"n":1234,"s":1234.000000,"t":"a\\"b"}',
    );
    assert.equal(
      await run(
        `${value} :return [:serialize to=json value=$v options=json.no-string-conversion]`,
        "7.17",
      ),
      '{"n":1234,"s":"1234","t":"a\\"b"}',
    );
  });

  test("read text changes its type unless told otherwise", async () => {
    const of = (json: string, options = "") =>
      `:return [:typeof [:deserialize from=json value="${json}" ${options}]]`;
    assert.equal(await run(of('\\"123\\"')), "num");
    assert.equal(await run(of('\\"192.168.1.1\\"')), "ip");
    assert.equal(await run(of('\\"01:30:00\\"')), "time");
    assert.equal(await run(of('\\"c_12\\"')), "str");
    assert.equal(await run(of('\\"123\\"', "options=json.no-string-conversion"), "7.17"), "str");
  });

  test("a whole number keeps its 64 bits, a fraction becomes text", async () => {
    const source = (json: string) => `:return [:deserialize from=json value="${json}"]`;
    assert.equal(await run(source("9007199254740993")), 9007199254740993n);
    assert.equal(await run(source("1.5")), "1.500000");
    await assert.rejects(run(source("{bad")), /JSON/);
  });
});

describe("time", () => {
  test(":timestamp is a time; its nanoseconds make the epoch", async () => {
    const router = createRouter({ clock: () => 1_700_000_000_123 });
    assert.equal(await router.run(":return ([:tonsec [:timestamp]] / 1000000000)"), 1_700_000_000);
    assert.equal(await router.run(":return [:tostr [:timestamp]]"), "2810w5d22:13:20.123000000");
  });

  test(":tobool knows numbers, and text only since 7.22", async () => {
    assert.equal(await run(":return [:tobool 1]"), true);
    assert.equal(await run(':return [:typeof [:tobool "true"]]'), "nil");
    assert.equal(await run(':return [:tobool "true"]', "7.22"), true);
  });

  test(":totime and times of the language are the same", async () => {
    assert.equal(await run(':return ([:totime "1m30s"] = 90s)'), true);
    assert.equal(await run(":return [:tostr 26h]"), "1d02:00:00");
  });
});
