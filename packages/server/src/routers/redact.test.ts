import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isRedacted, redact } from "./redact.ts";

/** What a test plants: long enough that it stands nowhere by chance. */
const theSecret = "Zq7wXv9mKt";
const wireguard = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const longHex = "0123456789abcdef0123456789ABCDEF";
const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJyb3V0ZXIifQ.c2lnbmF0dXJl";
const telegram = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawA";
const pem = `-----BEGIN PRIVATE KEY-----\n${theSecret}AAAA\n${theSecret}==\n-----END PRIVATE KEY-----`;

const namedSecretTexts: readonly string[] = [
  `password=${theSecret}`,
  `password="${theSecret}"`,
  `password="a b ${theSecret} c"`,
  `password="a\\"b ${theSecret}"`,
  `password="a\\\\" secret="${theSecret}"`,
  `password='a ${theSecret}'`,
  `password="a"${theSecret}" x`,
  `password="sk-ant-abcdefgh ${theSecret}"`,
  `PASSWORD=${theSecret}`,
  `password: ${theSecret}`,
  `password : my ${theSecret} phrase`,
  `secret=${theSecret}`,
  `ipsec-secret=${theSecret}`,
  `security.passphrase="${theSecret} x"`,
  `wpa2-pre-shared-key=${theSecret}`,
  `wpa2-psk=${theSecret}`,
  `preshared-key="${theSecret}"`,
  `private-key=${theSecret}`,
  `privateKey: "${theSecret}"`,
  `authentication-password=${theSecret}`,
  `encryption-password=${theSecret}`,
  `community=${theSecret}`,
  `trap-community=${theSecret}`,
  `tcp-md5-key=${theSecret}`,
  `auth-key="${theSecret}"`,
  `static-key-0=${theSecret}`,
  `api-key=${theSecret}`,
  `api_key: ${theSecret}`,
  `token=${theSecret}`,
  `bot-token="${theSecret}"`,
  `Authorization: Basic ${theSecret}`,
  `Cookie: a=1; session=${theSecret}`.replace("; ", ";"),
  `{"password":"${theSecret}"}`,
  `{"password": "${theSecret}"}`,
  `{"command":"/ppp secret add password=\\"${theSecret}\\""}`,
  `("password"="${theSecret}")`,
  `(password => ${theSecret})`,
  `comment="x" password=\\\n    "${theSecret}"`,
  `comment="x" password=\\\r\n    ${theSecret}`,
  `the password is ${theSecret}`,
  `set the Wi-Fi password to ${theSecret} please`,
  `pin=${theSecret}`,
  `pass=${theSecret}`,
];

const shaped: readonly string[] = [
  wireguard,
  longHex,
  jwt,
  telegram,
  "sk-ant-api03-abcdefghijklmnop",
  `crk_${theSecret}abcdef`,
  `crr_${theSecret}abcdef`,
  "aB3".repeat(20),
];

const fragment = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 10 }),
  fc.constantFrom(
    '"',
    "'",
    "\\",
    "\n",
    "\r\n",
    "{",
    "[",
    "(",
    " password=",
    ' password="',
    " password: ",
    "secret='",
    "# NAME PASSWORD\n",
    "-----BEGIN",
    "http://",
    "[redacted]",
    "é",
    "\u200b",
    "x=1 ",
  ),
);
const around = fc.array(fragment, { maxLength: 8 }).map((parts) => parts.join(""));

describe("redact", () => {
  for (const text of namedSecretTexts) {
    it(`takes the value out of ${JSON.stringify(text)}`, () => {
      assert.ok(!redact(text).includes(theSecret), redact(text));
      assert.ok(isRedacted(redact(text)));
    });
  }

  for (const text of shaped) {
    it(`knows ${text.slice(0, 12)}… by its shape`, () => {
      assert.equal(redact(`peer ${text} up`).includes(text), false);
      assert.match(redact(`peer ${text} up`), /^peer .*\[redacted\] up$/);
    });
  }

  it("takes a named secret out whatever surrounds it", () => {
    fc.assert(
      fc.property(
        around,
        fc.constantFrom(...namedSecretTexts),
        around,
        (before, planted, after) => {
          const separated = `${before} ${planted}`;
          return !redact(separated + after).includes(theSecret);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("takes a secret of a known shape out whatever surrounds it", () => {
    fc.assert(
      fc.property(around, fc.constantFrom(...shaped), around, (before, planted, after) => {
        return !redact(before + planted + after).includes(planted);
      }),
      { numRuns: 5_000 },
    );
  });

  it("takes a PEM block out, also when its end was cut off", () => {
    for (const text of [pem, pem.slice(0, 50), `a\n${pem}\nb`, JSON.stringify({ key: pem })]) {
      assert.ok(!redact(text).includes(theSecret), redact(text));
    }
    assert.equal(redact(`before\n${pem}\nafter`), "before\n[redacted]\nafter");
  });

  it("takes the password out of a URL and leaves the rest", () => {
    assert.equal(redact("ftp://bob:p@ss:w/rd@host/x y"), "ftp://bob:[redacted]@host/x y");
    assert.equal(redact("see http://host:80/x"), "see http://host:80/x");
  });

  it("takes the cells of a secret column out of a table", () => {
    const table = [
      "Columns: NAME, SERVICE, PASSWORD, PROFILE",
      "#  NAME  SERVICE  PASSWORD      PROFILE",
      `0  bob   any      ${theSecret}    default`,
      `1  al    any      a ${theSecret}  default`,
      "",
      "#  NAME  SERVICE",
      "0  next  table here",
    ].join("\n");
    const out = redact(table);
    assert.ok(!out.includes(theSecret), out);
    assert.ok(out.includes("bob") && out.includes("default") && out.includes("table here"));
  });

  it("leaves what is no secret as it is", () => {
    for (const text of [
      "/ip address print where interface=bridge",
      "/ppp secret print proplist=name,service",
      "authentication-types=wpa2-psk,wpa3-psk name=guest",
      "MAC 48:8F:5A:11:22:33 fe80::4a8f:5aff:fe11:2233%ether1 2001:db8:1:2:3:4:5:6",
      "uptime: 1d02:03:04 version: 7.22.3 (stable)",
      "login failure for user admin from 203.0.113.9 via ssh",
      "public-key-size=2048 mtu=1500",
      "connection 192.168.88.10:51234->93.184.216.34:443",
      "/interface/bridge/port/print detail where bridge=bridge",
    ]) {
      assert.equal(redact(text), text);
    }
  });

  it("keeps other values around a secret readable", () => {
    assert.equal(
      redact('/ppp secret add name=bob password="a b" service=l2tp profile=vpn'),
      "/ppp secret add name=bob password=[redacted] service=l2tp profile=vpn",
    );
  });

  it("never throws, and taking out twice still hides the secret", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        assert.equal(typeof redact(redact(text)), "string");
      }),
    );
  });

  it("reads a long text made to slow it down", () => {
    for (const part of [
      "password=",
      'password="',
      "eyJ",
      "a:b@http://",
      "TOKEN ",
      "aa:",
      "1:",
      "\\",
      "-----BEGIN ",
    ]) {
      const text = part.repeat(500_000 / part.length);
      assert.equal(typeof redact(`${text}\n${"x y\n".repeat(50_000)}`), "string");
    }
  });
});
