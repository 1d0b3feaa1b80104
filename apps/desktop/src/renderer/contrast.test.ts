import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

const sheet = readFileSync(new URL("style.css", import.meta.url), "utf8");

/** The colours that a rule names. */
const coloursOf = (selector: string): Record<string, string> => {
  const start = sheet.indexOf(`\n${selector} {`);
  const rule = sheet.slice(start, sheet.indexOf("}", start));
  return Object.fromEntries(
    [...rule.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, colour]) => [name, colour]),
  );
};

/** WCAG 2.2, "contrast ratio". */
const contrast = (one: string, other: string): number => {
  const [light = 0, dark = 0] = [one, other].map(luminance).toSorted((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
};

const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

const surfaces = [
  "page",
  "side",
  "raised",
  "sunken",
  "hover",
  "accent-wash",
  "warn-wash",
  "bad-wash",
  "info-wash",
];
const pairs: readonly (readonly [string, string])[] = [
  ...surfaces.flatMap(
    (surface) =>
      [
        ["text", surface],
        ["text-soft", surface],
      ] as const,
  ),
  ...["page", "raised", "sunken", "bad-wash", "warn-wash"].map((on) => ["accent", on] as const),
  ["bad", "page"],
  ["bad", "bad-wash"],
  ["on-accent", "accent"],
  ["on-accent", "accent-strong"],
  ["on-bad", "bad"],
  ["page", "text"],
];

const light = coloursOf(":root");
const themes = { light, dark: { ...light, ...coloursOf(':root[data-theme="dark"]') } };

for (const [theme, colours] of Object.entries(themes)) {
  describe(`the ${theme} theme`, () => {
    it("has text on every surface at 4.5 to 1 or more", () => {
      for (const [ink, on] of pairs) {
        const ratio = contrast(colours[ink] ?? "", colours[on] ?? "");
        assert.ok(ratio >= 4.5, `${ink} on ${on}: ${ratio.toFixed(2)}`);
      }
    });
    it("has borders of controls, bars and dots at 3 to 1 or more", () => {
      for (const [line, on] of [
        ["control-line", "raised"],
        ["control-line", "page"],
        ["good", "line"],
        ["good", "side"],
        ["warn", "side"],
        ["bad", "side"],
        ["accent", "side"],
      ] as const) {
        const ratio = contrast(colours[line] ?? "", colours[on] ?? "");
        assert.ok(ratio >= 3, `${line} on ${on}: ${ratio.toFixed(2)}`);
      }
    });
  });
}
