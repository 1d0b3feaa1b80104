import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decode } from "./charset.ts";
import { metaCharset } from "./meta-charset.ts";

const bytes = (...parts: (string | number[])[]) =>
  new Uint8Array(
    Buffer.concat(
      parts.map((one) => (typeof one === "string" ? Buffer.from(one, "latin1") : Buffer.from(one))),
    ),
  );

const html = (page: Uint8Array, charset: string | null = null) =>
  decode({ bytes: page, kind: "html", charset });

const nihongo = [0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea];

describe("a page's characters", () => {
  it("are read by the byte order mark first, whatever else is said", () => {
    const utf16le = bytes([0xff, 0xfe], [...Buffer.from("日本 <p>", "utf16le")]);
    assert.equal(html(utf16le, "shift_jis"), "日本 <p>");
    const swapped = Buffer.from("日本", "utf16le").swap16();
    assert.equal(html(bytes([0xfe, 0xff], [...swapped]), "utf-8"), "日本");
    assert.equal(html(bytes([0xef, 0xbb, 0xbf], [...Buffer.from("grün")]), "windows-1252"), "grün");
  });

  it("then by the header, then by the meta", () => {
    const meta = '<meta charset="windows-1252">';
    assert.ok(html(bytes(meta, nihongo), "Shift_JIS").endsWith("日本語"));
    assert.ok(html(bytes('<meta charset="shift_jis">', nihongo)).endsWith("日本語"));
    assert.ok(
      html(
        bytes('<meta http-equiv=Content-Type content="text/html; charset=shift_jis">', nihongo),
      ).endsWith("日本語"),
    );
    assert.equal(html(bytes([0xc4, 0xe3, 0xba, 0xc3]), "gb18030"), "你好");
    assert.equal(html(bytes([0x81, 0x30, 0x81, 0x30]), "GB18030"), "\u0080");
    assert.equal(html(bytes([0xc0, 0xc1]), "koi8-r"), "юа");
    assert.equal(html(bytes([0xa4]), "iso-8859-15"), "€");
  });

  it("a charset nobody knows counts as none", () => {
    assert.equal(
      html(bytes("<meta charset=shift_jis>", nihongo), "no-such-thing").slice(-3),
      "日本語",
    );
    assert.equal(html(bytes("<meta charset=nonsense>gr", [0xfc], "n")).slice(-4), "grün");
  });

  it("undeclared are UTF-8 when they are that, else windows-1252 for HTML and UTF-8 for the rest", () => {
    assert.equal(html(bytes([...Buffer.from("grün €")])), "grün €");
    assert.equal(html(bytes("gr", [0xfc], "n ", [0x80])), "grün €");
    assert.equal(decode({ bytes: bytes("gr", [0xfc]), kind: "text", charset: null }), "gr\ufffd");
  });

  it("cut within the last one are still UTF-8", () => {
    const whole = Buffer.from("grün 😀");
    assert.equal(html(bytes("gr", [0xfc])), "grü");
    for (const cut of [1, 2, 3]) {
      assert.ok(html(new Uint8Array(whole.subarray(0, whole.length - cut))).startsWith("grün "));
    }
  });

  it("of XML are what its declaration says", () => {
    const xml = bytes('<?xml version="1.0" encoding="shift_jis"?><a>', nihongo);
    assert.ok(decode({ bytes: xml, kind: "xml", charset: null }).endsWith("日本語"));
  });

  it("are read from any bytes, and never with lone surrogates or a mark in front", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (page) => {
        assert.ok(html(new Uint8Array(page)).isWellFormed());
      }),
    );
  });
});

describe("the meta prescan", () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ["<meta charset=utf-8>", "utf-8"],
    ["<META CharSet = 'ISO-8859-2' />", "iso-8859-2"],
    ['<html lang="a>b"><meta charset="x">', "x"],
    ["<!-- <meta charset=a> --><meta charset=b>", "b"],
    ["<!--><meta charset=c>", "c"],
    ['<script src="<meta charset=d>"></script><meta charset=e>', "e"],
    ["<metadata charset=f>", null],
    ["</p charset=g><meta charset=h>", "h"],
    ["<?php <meta charset=i> ?>", null],
    ["<!doctype html><meta name=a charset=j>", "j"],
    ["<meta content='text/html; charset=k'>", null],
    ["<meta http-equiv=refresh content='charset=l'>", null],
    ["<meta content='text/html;charset=\"m\"' http-equiv=CONTENT-TYPE>", "m"],
    ["<meta charset=utf-16le>", "utf-8"],
    ["<meta charset=x-user-defined>", "windows-1252"],
    ["<meta charset=n", "n"],
    ['<meta charset="', ""],
    ["no markup < at all", null],
  ];

  for (const [head, charset] of cases) {
    it(`finds ${charset} in ${head}`, () => {
      assert.equal(metaCharset(head) ?? null, charset);
    });
  }

  it("ends on every input", () => {
    const piece = fc.constantFrom(
      "<",
      ">",
      "<meta ",
      "charset",
      "=",
      '"',
      "'",
      "<!--",
      "-->",
      "/",
      " ",
      "a",
      "</",
      "<?",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        metaCharset(pieces.join(""));
      }),
      { numRuns: 5_000 },
    );
  });
});
