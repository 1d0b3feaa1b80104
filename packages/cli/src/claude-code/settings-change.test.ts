import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { memberText } from "./json-text.ts";
import { type Wanted, withoutSettings, withSettings } from "./settings-change.ts";

const toRelay = (url: string): readonly Wanted[] => [
  { path: ["apiKeyHelper"], value: `helper ${url}` },
  { path: ["env", "ANTHROPIC_BASE_URL"], value: url },
  { path: ["env", "ANTHROPIC_API_KEY"], value: null },
];

describe("connecting", () => {
  it("adds to what is there, and undoing leaves every byte as it was", () => {
    const text = '{\n    "model": "opus",\n    "env": { "A" : "1" },\n    "hooks": {}\n}\n';
    const { text: now, record } = withSettings(text, toRelay("u"), null);
    assert.deepEqual(JSON.parse(now), {
      model: "opus",
      env: { A: "1", ANTHROPIC_BASE_URL: "u" },
      hooks: {},
      apiKeyHelper: "helper u",
    });
    assert.deepEqual(withoutSettings(now, record), { text, kept: [] });
  });

  it("without a file makes one that an undo takes away", () => {
    const { text, record } = withSettings(null, toRelay("u"), null);
    assert.deepEqual(JSON.parse(text), {
      apiKeyHelper: "helper u",
      env: { ANTHROPIC_BASE_URL: "u" },
    });
    assert.ok(text.endsWith("}\n"));
    assert.deepEqual(withoutSettings(text, record), { text: null, kept: [] });
    const more = text.replace("{", '{"model":"opus",');
    assert.deepEqual(JSON.parse(withoutSettings(more, record).text ?? ""), { model: "opus" });
  });

  it("takes out what is in the way, and an undo brings it back", () => {
    const before = {
      apiKeyHelper: "mine.sh",
      env: { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: "b" },
    };
    const { text, record } = withSettings(JSON.stringify(before), toRelay("u"), null);
    assert.deepEqual(JSON.parse(text), {
      apiKeyHelper: "helper u",
      env: { ANTHROPIC_BASE_URL: "u" },
    });
    assert.deepEqual(JSON.parse(withoutSettings(text, record).text ?? ""), before);
  });

  it("to a second relay still remembers what stood there before the first", () => {
    const text = '{"env":{"ANTHROPIC_BASE_URL":"mine","ANTHROPIC_API_KEY":"k"}}';
    const first = withSettings(text, toRelay("one"), null);
    const second = withSettings(first.text, toRelay("two"), first.record);
    assert.equal(memberText(second.text, ["env", "ANTHROPIC_BASE_URL"]), '"two"');
    assert.deepEqual(
      JSON.parse(withoutSettings(second.text, second.record).text ?? ""),
      JSON.parse(text),
    );
    const again = withSettings(second.text, toRelay("two"), second.record);
    assert.deepEqual(again, second, "the same once more changes nothing");
  });

  it("leaves alone, when undone, what somebody changed since, and says so", () => {
    const { text, record } = withSettings('{"apiKeyHelper":"old"}', toRelay("u"), null);
    const edited = text.replace('"helper u"', '"other.sh"');
    const undone = withoutSettings(edited, record);
    assert.deepEqual(undone.kept, [["apiKeyHelper"]]);
    assert.deepEqual(JSON.parse(undone.text ?? ""), { apiKeyHelper: "other.sh" });
  });

  it("keeps what was changed between two connects as what stood there before", () => {
    const first = withSettings('{"apiKeyHelper":"old"}', toRelay("u"), null);
    const edited = first.text.replace('"helper u"', '"newer.sh"');
    const second = withSettings(edited, toRelay("v"), first.record);
    const { text } = withoutSettings(second.text, second.record);
    assert.deepEqual(JSON.parse(text ?? ""), { apiKeyHelper: "newer.sh" });
  });

  it("refuses an env that is no object", () => {
    assert.throws(() => withSettings('{"env":[]}', toRelay("u"), null), /`env` is not an object/);
  });
});

describe("connecting and undoing", () => {
  const names = ["apiKeyHelper", "model", "env", "x"];
  const env = fc.dictionary(
    fc.constantFrom("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "PATH"),
    fc.string(),
  );
  const settings = fc
    .tuple(fc.dictionary(fc.constantFrom(...names), fc.jsonValue()), fc.option(env))
    .map(([all, inner]) => {
      const { env: _, ...others } = all;
      return inner === null ? others : { ...others, env: inner };
    });

  it("gives any settings back as they were, however often it was connected", () => {
    const urls = fc.array(fc.webUrl(), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(settings, fc.constantFrom(undefined, 2, "\t"), urls, (value, space, all) => {
        const text = JSON.stringify(value, null, space);
        let [now, record]: [string, Parameters<typeof withSettings>[2]] = [text, null];
        for (const url of all) {
          ({ text: now, record } = withSettings(now, toRelay(url), record));
          assert.equal(memberText(now, ["env", "ANTHROPIC_BASE_URL"]), JSON.stringify(url));
          assert.equal(memberText(now, ["env", "ANTHROPIC_API_KEY"]), null);
        }
        const undone = withoutSettings(now, record!);
        assert.deepEqual(undone.kept, []);
        assert.deepEqual(JSON.parse(undone.text ?? ""), JSON.parse(text));
      }),
    );
  });
});
