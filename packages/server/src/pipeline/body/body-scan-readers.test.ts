import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Refusal } from "../refusal.ts";
import type { BodyFacts } from "../types.ts";
import { scanBody } from "./body-scan.ts";

/** An object as its members in order: what readers make of it is up to them. */
type Members = readonly (readonly [key: string, value: unknown])[];
const isMembers = (value: unknown): value is { members: Members } =>
  typeof value === "object" && value !== null && "members" in value;

/** A tiny parser that keeps every member. Only for JSON that JSON.parse accepts. */
const parseKeepingAll = (text: string): unknown => {
  let i = 0;
  const space = (): void => {
    while (" \t\r\n".includes(text[i] ?? "x")) {
      i++;
    }
  };
  const token = (pattern: RegExp): string => {
    pattern.lastIndex = i;
    const found = pattern.exec(text)?.[0] ?? "";
    i += found.length;
    return found;
  };
  const value = (): unknown => {
    space();
    if (text[i] === "{") {
      const members: [string, unknown][] = [];
      for (i++, space(); text[i] !== "}"; space()) {
        if (text[i] === ",") {
          i++;
        }
        space();
        const key = JSON.parse(token(/"(?:[^"\\]|\\.)*"/y));
        space();
        i++;
        members.push([key, value()]);
      }
      i++;
      return { members };
    }
    if (text[i] === "[") {
      const elements: unknown[] = [];
      for (i++, space(); text[i] !== "]"; space()) {
        if (text[i] === ",") {
          i++;
        }
        elements.push(value());
      }
      i++;
      return elements;
    }
    return JSON.parse(text[i] === '"' ? token(/"(?:[^"\\]|\\.)*"/y) : token(/[^\s,\]}]+/y));
  };
  return value();
};

type Get = (object: unknown, key: string) => unknown;
const members = (object: unknown): Members => (isMembers(object) ? object.members : []);
const firstWins: Get = (object, key) => members(object).find(([name]) => name === key)?.[1];
const lastWins: Get = (object, key) => members(object).findLast(([name]) => name === key)?.[1];
const fold = (key: string): string => key.toLowerCase().replaceAll("\u017f", "s");
/** As Go's encoding/json: the last member whose name is equal but for case. */
const anyCase: Get = (object, key) => members(object).findLast(([name]) => fold(name) === key)?.[1];

const readings = (body: unknown, get: Get) => {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  const fallbacks = get(body, "fallbacks");
  return {
    model: get(body, "model"),
    maxTokens: get(body, "max_tokens") ?? null,
    stream: get(body, "stream") ?? false,
    speed: get(body, "speed") ?? null,
    serviceTier: get(body, "service_tier") ?? null,
    inferenceGeo: get(body, "inference_geo") ?? null,
    models: [
      get(body, "model"),
      ...(fallbacks === "default" ? ["default"] : []),
      ...[...list(fallbacks), ...list(get(body, "tools"))].map((each) => get(each, "model")),
      ...list(get(body, "messages"))
        .flatMap((message) => list(get(message, "content")))
        .map((block) => get(get(get(block, "tool"), "definition"), "model")),
    ]
      .filter((model) => model !== undefined && model !== null)
      .toSorted(),
  };
};

const ours = (facts: BodyFacts) => ({
  model: facts.model,
  maxTokens: facts.maxTokens,
  stream: facts.stream,
  speed: facts.speed,
  serviceTier: facts.serviceTier,
  inferenceGeo: facts.inferenceGeo,
  models: facts.models.map(({ model }) => model as string).toSorted(),
});

const scanOrNull = (text: string): BodyFacts | null => {
  try {
    return scanBody(Buffer.from(text), "count_tokens");
  } catch (error) {
    if (error instanceof Refusal) {
      return null;
    }
    throw error;
  }
};

/** A key in one of many spellings: plain, escaped, in another case, with letters that fold to ASCII. */
const spelling = (key: string): fc.Arbitrary<string> =>
  fc
    .array(fc.integer({ min: 0, max: 40 }), { minLength: key.length, maxLength: key.length })
    .map((styles) =>
      [...key]
        .map((letter, at) => {
          const style = styles[at];
          if (style === 0) {
            return letter.toUpperCase();
          }
          if (style === 1) {
            return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
          }
          if (style === 2) {
            return letter === "s" ? "\u017f" : letter === "k" ? "\u212a" : letter;
          }
          if (style === 3) {
            return `\\u${letter.toUpperCase().charCodeAt(0).toString(16).padStart(4, "0")}`;
          }
          return letter;
        })
        .join(""),
    );

const member = (keys: readonly string[], value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...keys).chain(spelling), value)
    .map(([key, text]) => `"${key}":${text}`);
const object = (...choices: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.array(fc.oneof(...choices), { maxLength: 4 }).map((all) => `{${all.join(" , ")}}`);
const array = (element: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(element, { maxLength: 3 }).map((all) => `[${all.join(",")}]`);

const anything = fc.json({ maxDepth: 2 });
const model = fc.constantFrom('"a"', '"b"', '"claude-\\u0073onnet"', "null");
const tool = object(
  member(["model", "Model"], model),
  member(["name", "type"], fc.constant('"x"')),
);
const block = object(
  member(["tool"], object(member(["definition"], tool))),
  member(["text"], anything),
);
const message = object(member(["content"], array(block)), member(["role"], anything));
const body = object(
  member(["model"], model),
  member(["max_tokens"], fc.constantFrom("1", "77", "null")),
  member(["stream"], fc.constantFrom("true", "false")),
  member(["speed", "service_tier", "inference_geo"], fc.constantFrom('"fast"', '"x"', "null")),
  member(["fallbacks", "tools"], fc.oneof(array(tool), fc.constantFrom("null", '"default"'))),
  member(["messages"], array(message)),
  member(["metadata", "system", "ſystem"], anything),
).map((text) => (text === "{}" ? '{"model":"a"}' : text.replace("{", '{"model":"a",')));

describe("whenever a body is accepted", () => {
  it("first-wins, last-wins and case-insensitive readers read what we read", () => {
    let accepted = 0;
    fc.assert(
      fc.property(body, (text) => {
        const facts = scanOrNull(text);
        if (facts === null) {
          return;
        }
        accepted++;
        const kept = parseKeepingAll(text);
        for (const get of [firstWins, lastWins, anyCase]) {
          assert.deepEqual(ours(facts), readings(kept, get), text);
        }
      }),
      { numRuns: 5000 },
    );
    assert.ok(accepted > 300, `only ${accepted} bodies were accepted: the property says little`);
  });

  it("it is what JSON.parse accepts, and nothing that JSON.parse refuses is accepted", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5, stringUnit: "binary" }), fc.nat(), (value, at) => {
        const text = `{"model":"m","some":${value}}`;
        assert.equal(scanOrNull(text)?.model, "m");
        const from = at % text.length;
        const damaged = text.slice(0, from) + text.slice(from + 1);
        const facts = scanOrNull(damaged);
        if (facts !== null) {
          assert.equal(JSON.parse(damaged).model, facts.model);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("JSON.parse takes a damaged body too, and only our own rules refuse what it takes", () => {
    const parses = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const junk = fc.constantFrom(
      "",
      ",",
      "}",
      "]",
      "{",
      "[",
      ":",
      '"',
      "\\",
      "1",
      " ",
      "\n",
      "null",
    );
    fc.assert(
      fc.property(body, fc.nat(), fc.nat(2), junk, (text, at, removed, put) => {
        const from = at % text.length;
        const damaged = text.slice(0, from) + put + text.slice(from + removed);
        try {
          scanBody(Buffer.from(damaged), "count_tokens");
          assert.ok(parses(damaged), damaged);
        } catch (error) {
          if (!(error instanceof Refusal)) {
            throw error;
          }
          assert.ok(!(error.message.includes("not usable JSON") && parses(damaged)), damaged);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});
