import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { shownExplanation, shownSuggestion, usableScript } from "./usable-script.ts";

const made = (routeros_command: string): string =>
  usableScript({ possible: true, routeros_command, explanation: "" }, (text) =>
    text.includes("[redacted]"),
  );

const refusal = (script: string): string => {
  try {
    made(script);
  } catch (error) {
    assert.equal((error as { code: string }).code, "not_possible");
    return (error as Error).message;
  }
  return assert.fail(`was taken: ${script}`);
};

describe("a script that Claude wrote", () => {
  it("has plain line ends and no blank lines, so that none scrolls away", () => {
    assert.equal(
      made(`/ip address print\r\n\r\n \n\t\n\n${"\n".repeat(100)}/ip route print\r`),
      "/ip address print\n/ip route print",
    );
    assert.match(refusal(Array(41).fill("/ip address print").join("\n")), /40 lines/);
    assert.equal(made(Array(40).fill("/ip address print").join("\n")).split("\n").length, 40);
  });

  it("with a long run of spaces is refused: something could wrap out of sight", () => {
    assert.match(refusal(`/ip address print;${" ".repeat(16)}/ip route print`), /run of spaces/);
    made(`/ip address print;${" ".repeat(15)}/ip route print`);
  });

  it("is ASCII, or refused with what to do", () => {
    for (const odd of ["Büro", "a\u202eb", "a\u200bb", "\u001b[2J", "a\tb", "\u00a0", "\ufeff"]) {
      assert.match(refusal(`/system identity set name="x${odd}x"`), /Buero/);
    }
  });

  it("with a stand-in for a secret is refused, with a hint to set it by hand", () => {
    for (const secret of [
      "<password>",
      '"<your wifi password>"',
      "changeme",
      '"ChangeMe123!"',
      "change-this",
      "your-password",
      '"YOUR_WIFI_PASSWORD"',
      "YourSecretKey",
      "xxxx",
      '"XXXXXXXX"',
      '"********"',
      "...",
      "placeholder",
      '"enter-password-here"',
      "REPLACE_WITH_YOUR_KEY",
      "password123",
      "12345678",
      "mypassword",
    ]) {
      const script = `/interface wifi security set 0 passphrase=${secret}`;
      assert.match(refusal(script), /by hand/, script);
    }
    assert.match(refusal('/ppp secret set 0 password="[redacted]"'), /by hand/);
    assert.match(refusal('/ppp secret set 0 password="changeme" name=x'), /by hand/);
  });

  it("without one is taken as it is", () => {
    for (const script of [
      "/interface wifi security print proplist=name,authentication-types",
      ":if (1<2) do={ /ip address print }",
      ":foreach i in=[/ip address find] do={\n    :put [/ip address get $i address]\n}",
      '/ip firewall filter set 0 comment="blocks what nobody needs"',
      "/ip firewall filter add chain=forward src-address=10.0.0.1 action=drop",
    ]) {
      assert.equal(made(script), script);
    }
  });
});

describe("what is shown beside a script", () => {
  it("is one short line, whatever it says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 900 }), (text) => {
        const shown = shownExplanation(`a\r\n\n${text}\u202e\u001b[2K\u2028b`);
        return !/[\p{C}\u2028\u2029]/u.test(shown) && !/ {2}/.test(shown) && shown.length <= 600;
      }),
    );
    assert.equal(shownExplanation(" Zeigt\n\n\n  alles. "), "Zeigt alles.");
  });

  it("may have lines when it is a suggestion, and nothing else that moves a cursor", () => {
    assert.equal(shownSuggestion("One.\r\n\r\n\u001b[1A  Two.\u200b"), "One.\n[1A Two.");
  });
});
