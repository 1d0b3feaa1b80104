import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { escapeHtml, html, raw } from "./html.ts";

test("no text a value holds becomes markup, in text or in an attribute", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const shown = html`<p title="${text}">${text}</p>`;
      const inner = shown.slice('<p title="'.length, -"</p>".length);
      assert.equal(inner.replace(/">/, "").match(/[<>"']/), null);
    }),
  );
});

test("HTML goes in as it is, and only where it is said", () => {
  const inner = html`<b>${"<"}</b>`;
  assert.equal(html`<p>${raw(inner)}</p>`, "<p><b>&lt;</b></p>");
  assert.equal(escapeHtml(`&<>"'`), "&amp;&lt;&gt;&quot;&#39;");
});
