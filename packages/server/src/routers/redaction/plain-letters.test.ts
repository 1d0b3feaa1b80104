import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { redact } from "../redact.ts";
import { plainLetters } from "./plain-letters.ts";

const value = "Zq7wXv9mKt";

/** Each hides `value`. */
const lines: readonly string[] = [
  `https://example.com/login?next=%2F%3Fpassword%3D${value}`,
  `password%253D${value}`,
  `pass\u200bword=${value}`,
  `password\u200b=${value}`,
  `password=\u200b${value}`,
  `pass\u00a0word=${value}`,
  `password\u00a0=\u00a0${value}`,
  `password\u00a0${value}`,
  `pass\u001b[1mword\u001b[0m=${value}`,
  `\u001b[32mpassword\u001b[0m=\u001b[1m${value}`,
  `pass\u001bword=${value}`,
  `\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44=${value}`,
  `\u{1d429}assword=${value}`,
  `pass\\\n  \u200bword=${value}`,
  `password;${value}`,
  `password,${value}`,
];

describe("a secret whose name is disguised", () => {
  for (const line of lines) {
    it(`is taken out of ${JSON.stringify(line)}`, () =>
      assert.ok(!redact(line).includes(value), redact(line)));
  }

  it("is one only when it is a value: lists of columns and plain words stay", () => {
    for (const line of [
      "proplist=name,password,profile",
      "authentication-types=wpa2-psk,wpa3-psk",
      "type=wpa-psk,wpa2-eap",
      "Привет: адрес 10.0.0.1…",
      "name\u00a0eth1",
    ]) {
      assert.equal(redact(line), line);
    }
  });
});

describe("plain letters", () => {
  it("tell where each stood: a plain character is found at its own place again", () => {
    const piece = fc.constantFrom(
      "a",
      "=",
      "\u200b",
      "\u00a0",
      "\uff50",
      "\u{1d429}",
      "%3D",
      "\ufb01",
    );
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join("")),
        (text) => {
          for (const { text: plain, original } of plainLetters(text)) {
            for (let at = 0; at < plain.length; at++) {
              const { start, end } = original({ start: at, end: at + 1 });
              assert.ok(start < end && end <= text.length);
              const part = text.slice(start, end);
              const said = part === "%3D" ? "=" : part.normalize("NFKC");
              assert.ok(said.includes(plain.charAt(at)), `${part} for ${plain.charAt(at)}`);
            }
          }
        },
      ),
    );
  });
});
