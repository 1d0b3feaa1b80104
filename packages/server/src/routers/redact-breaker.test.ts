/** What somebody who set out to get a secret past `redact` tried. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { redact } from "./redact.ts";

const value = "Zq7wXv9mKt";

/** Each hides `value`. */
const lines: readonly string[] = [
  `:global ClaudeRelayHandshakeSecret "${value}"`,
  `:global ClaudeRelayHandshakeSecret ${value}`,
  `:global TelegramToken "${value}"`,
  `:local pass "${value}"`,
  `:local pass ("a" . "${value}")`,
  `:set myPassword ${value}`,
  `:local wifiPass ${value}`,
  `/user set admin password ${value}`,
  `/user add name=a p=${value}`,
  `/ppp secret add name=a passw=${value}`,
  `/ppp secret add name=a pas=${value} profile=x`,
  `/ip ipsec identity add secr=${value}`,
  `/interface wifi security set 0 passphr=${value}`,
  `/interface wireguard add private=${value}`,
  `/interface wireless security-profiles set 0 wpa=${value}`,
  `/password old=x new=${value} confirm=${value}`,
  `"password" ${value}`,
  `password\t${value}`,
  `"password"->"${value}"`,
  `($cfg->"password") = "${value}"`,
  `password->${value}`,
  `secret -> ${value}`,
  `secret → ${value}`,
  `passphrase ${value}!`,
  `PSK ${value}`,
  `connect with password ${value} to the office`,
  `set the password of user anna to ${value}`,
  `password for user admin changed to ${value}`,
  `the password was changed to ${value}`,
  `the wifi password should be ${value}`,
  `the password for bob: ${value}`,
  `the password is: ${value}`,
  `the password anna uses is ${value}`,
  `use ${value} as the new wifi password`,
  `pw: ${value}`,
  `pw=${value}`,
  `http://host/x?pw=${value}`,
  `pin-code=${value}`,
  `wps-pin=${value}`,
  `pass-word=${value}`,
  `pass_phrase: ${value}`,
  `/snmp community set 0 name=${value}`,
  `/snmp/community/add addresses=::/0 name="${value}"`,
  `/snmp community\nset [ find default=yes ] name=${value}`,
  `https://www.duckdns.org/update/home/${value}`,
  `https://discord.com/api/webhooks/112233445566/${value}`,
  `https://api.telegram.org/bot12345:${value}/sendMessage`,
  `pass\\\n    word=${value}`,
  `pass\\\r\n    word="${value}"`,
  `password="ab\\\n    ${value}"`,
  `  password: abc def\n            ${value}\n`,
  `  password:\n    ${value}\n`,
  `password:\n${value}`,
  `Passwort ist ${value}`,
  `Passwort: ${value}`,
  `Passwort=${value}`,
  `Setze das Passwort von Anna auf ${value}`,
  `Das WLAN-Kennwort lautet ${value}`,
  `le mot de passe est ${value}`,
  `mot de passe : ${value}`,
  `mot de passe=${value}`,
  `la contraseña es ${value}`,
  `contraseña: ${value}`,
  `cambia la contraseña de anna a ${value}`,
  `пароль: ${value}`,
  `пароль это ${value}`,
  `пароль=${value}`,
  `la clave es ${value}`,
  `a senha é ${value}`,
  `密码是${value}`,
  `密码: ${value}`,
  `密码：${value}`,
  `密码=${value}`,
  `hasło to ${value}`,
  `hasło: ${value}`,
  `wachtwoord is ${value}`,
  `wachtwoord=${value}`,
];

const around = fc
  .array(
    fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.constantFrom('"', "'", "\\", "\n", "{", "[", " password ", " x=1 ", "the ", "密码", "://"),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(""));

describe("a secret that a breaker tried to get past redact", () => {
  for (const line of lines) {
    it(`is taken out of ${JSON.stringify(line)}`, () => {
      for (const text of [line, `a log line\n${line}\nand another`, `${line}\r\n`]) {
        assert.ok(!redact(text).includes(value), redact(text));
      }
    });
  }

  it("is taken out whatever follows it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...lines), around, (line, after) => {
        return !redact(`${line} ${after}`).includes(value);
      }),
      { numRuns: 5_000 },
    );
  });

  it("is taken out whatever stands in lines before it", () => {
    fc.assert(
      fc.property(around, fc.constantFrom(...lines), (before, line) => {
        return !redact(`${before}\n${line}`).includes(value);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("a secret that the relay knows", () => {
  const known = 'plain "words" nobody would call\\a secret';

  it("is taken out wherever it stands, in the forms it is written in", () => {
    const hex = Buffer.from(known).toString("hex");
    for (const text of [
      `x ${known} y`,
      `x ${JSON.stringify({ note: known })} y`,
      `x ${Buffer.from(known).toString("base64")} y`,
      `x ${hex} y`,
      `x ${hex.toUpperCase()} y`,
      `x ${encodeURIComponent(known)} y`,
      `x ${known.slice(0, 9)}\\\n    ${known.slice(9)} y`,
    ]) {
      const out = redact(text, [known]);
      assert.match(out, /^x .*\[redacted\].* y$/s);
      assert.ok(!out.includes("words"), out);
    }
  });

  it("is no empty one", () => {
    assert.equal(redact("all of it", [""]), "all of it");
  });
});

describe("what redact leaves readable", () => {
  const key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

  it("is a peer's public key, and not the keys beside it", () => {
    for (const text of [
      `public-key="${key}" allowed-address=10.0.0.2/32`,
      `public-key=${key}`,
      `  public-key: ${key}`,
      `{"public-key":"${key}"}`,
      `peer-public-key = "${key}"`,
    ]) {
      assert.equal(redact(text), text);
    }
    const both = `public-key="${key}" private-key="${key}" preshared-key="${key}"`;
    assert.equal(
      redact(both),
      `public-key="${key}" private-key=[redacted] preshared-key=[redacted]`,
    );
    assert.equal(redact(`peer ${key}`), "peer [redacted]");
  });

  it("is what people ask and routers say about passwords without telling one", () => {
    for (const text of [
      "how do I change the password of the guest network?",
      "show me which users have no password set",
      "reset the wifi password, please",
      "the password is wrong",
      "password authentication failed",
      "login failure for user admin from 10.0.0.1 via ssh: wrong password",
      "/ppp secret print where service=l2tp",
      "/ppp secret remove [find name=bob]",
      "/snmp community print",
      "/ip route add dst-address=10.0.0.0/8 gateway=10.1.1.1 distance=2",
      "#  NAME  SERVICE  PASSWORD  PROFILE",
      "https://download.mikrotik.com/routeros/7.16.2/routeros-7.16.2-arm64.npk",
      "Wie ändere ich das Passwort für das Gäste-WLAN?",
      "add a firewall rule to pass the traffic of ether1",
    ]) {
      assert.equal(redact(text), text);
    }
  });

  it("is the rest of a line", () => {
    for (const [text, out] of [
      [
        "connect with password Sommer2026! to the office",
        "connect with password [redacted] to the office",
      ],
      [
        "set the password of user anna to Sommer2026",
        "set the password of user anna to [redacted]",
      ],
      [
        `/snmp community set 0 name=X1; /system identity print`,
        "/snmp community set 0 name=[redacted]; /system identity print",
      ],
      [`:global Token "abc"; :put "ready"`, `:global Token [redacted]; :put "ready"`],
      [
        `:put "Enter the password "; /ip address print`,
        `:put "Enter the password "; /ip address print`,
      ],
    ] as const) {
      assert.equal(redact(text), out);
    }
  });
});

describe("redact, given a text made to slow it down", () => {
  for (const part of [
    "password ",
    "password of ",
    "password:\n ",
    "password: ",
    "密码",
    "snmp community name=",
    "public-key=",
    "p=user ",
    "\\\n ",
    "://a/b",
    "x as password ",
    ":local pass ",
    "A PASSWORD ",
    "password to the ",
    "key ",
  ]) {
    it(`is done soon with ${JSON.stringify(part)} over and over`, { timeout: 20_000 }, () => {
      const text = part.repeat(200_000 / part.length);
      assert.equal(typeof redact(`${text}\n${" ".repeat(100_000)}x`, ["secret"]), "string");
    });
  }
});
