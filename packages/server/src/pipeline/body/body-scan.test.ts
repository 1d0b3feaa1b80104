import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refused, refusedWith, scan, withMore } from "./test-scan.ts";

describe("the deciding fields of a body", () => {
  it("are read wherever they stand", () => {
    const facts = scan(
      '{"messages":[{"role":"user","content":"hi"}],"stream":true,"speed":"fast","max_tokens":64000,' +
        '"service_tier":"auto","inference_geo":"us","model":"claude-opus-5-5"}',
    );
    assert.deepEqual(facts, {
      model: "claude-opus-5-5",
      maxTokens: 64000,
      stream: true,
      models: [{ field: "model", model: "claude-opus-5-5" }],
      serverToolUses: 0,
      speed: "fast",
      serviceTier: "auto",
      inferenceGeo: "us",
    });
  });

  it("are read through escapes, in keys and in values", () => {
    const facts = scan('{"m\\u006fdel":"claude-\\u0073onnet-5-5","max_t\\u006fkens":1}');
    assert.equal(facts.model, "claude-sonnet-5-5");
    assert.equal(facts.maxTokens, 1);
  });

  it("may leave out max_tokens only to count tokens", () => {
    assert.equal(scan('{"model":"m"}', "count_tokens").maxTokens, null);
    refused('{"model":"m"}', /^max_tokens: required/);
  });

  it("do not include what stands deeper", () => {
    const facts = withMore(
      '"metadata":{"model":"x","MODEL":"y","max_tokens":"z","stream":0},"messages":[{"model":"a","Model":1,' +
        '"content":[{"type":"tool_use","input":{"model":"b","model":"c","tool":{"definition":{"model":"d"}}}}]}]',
    );
    assert.deepEqual(facts.models, [{ field: "model", model: "claude-opus-5-5" }]);
  });

  it("leave nested __proto__ and constructor keys alone", () => {
    withMore(
      '"messages":[{"content":{"__proto__":{"a":1},"constructor":{"prototype":{}}}}],"__proto__":1',
    );
  });

  it("leave lone surrogate escapes alone where they decide nothing", () => {
    withMore('"messages":[{"role":"user","content":"\\ud800"}],"\\ud800":1');
    refused('{"model":"m\\ud800","max_tokens":1}', /^model: /);
  });
});

describe("every model a body can reach is listed", () => {
  it("from fallbacks, with their own max_tokens and speed", () => {
    const { models } = withMore(
      '"fallbacks":[{"model":"a","max_tokens":99,"speed":"fast"},{"model":"b","max_tokens":null}]',
    );
    assert.deepEqual(models.slice(1), [
      { field: "fallbacks[0].model", model: "a", maxTokens: 99, speed: "fast" },
      { field: "fallbacks[1].model", model: "b", maxTokens: null, speed: null },
    ]);
  });

  it("as `default` when upstream is to choose the fallback", () => {
    assert.deepEqual(withMore('"fallbacks":"default"').models[1], {
      field: "fallbacks",
      model: "default",
    });
    refusedWith('"fallbacks":"claude-opus-5"', /^fallbacks: /);
  });

  it("from tools", () => {
    const { models, serverToolUses } = withMore(
      '"tools":[{"name":"t","input_schema":{"model":"no"}},' +
        '{"type":"advisor_20260301","name":"advisor","model":"claude-fable-5-2","max_uses":3,"max_tokens":500}]',
    );
    assert.deepEqual(models.slice(1), [
      { field: "tools[1].model", model: "claude-fable-5-2", maxTokens: 500 },
    ]);
    assert.equal(serverToolUses, 3);
  });

  it("from tools added in the middle of the conversation", () => {
    const { models, serverToolUses } = withMore(
      '"messages":[{"role":"user","content":"hi"},{"role":"system","content":[{"type":"text","text":"x"},' +
        '{"type":"tool_addition","tool":{"type":"tool_definition","definition":' +
        '{"type":"advisor_20260301","name":"advisor","model":"claude-fable-5-2"}}}]}]',
    );
    assert.deepEqual(models.slice(1), [
      {
        field: "messages[1].content[1].tool.definition.model",
        model: "claude-fable-5-2",
        maxTokens: null,
      },
    ]);
    assert.equal(serverToolUses, null);
  });

  it("and shapes that could hide one are refused, others not", () => {
    for (const more of ['"tools":null', '"tools":[]', '"fallbacks":null', '"fallbacks":[]']) {
      assert.equal(withMore(more).models.length, 1);
    }
    refusedWith('"tools":{"0":{"model":"x"}}', /^tools: must be an array or null/);
    refusedWith('"tools":["x"]', /^tools\[0\]: must be an object/);
    refusedWith('"fallbacks":{"model":"x"}', /^fallbacks: /);
    refusedWith('"fallbacks":[[{"model":"x"}]]', /^fallbacks\[0\]: must be an object/);
    refusedWith('"tools":[{"model":["x"]}]', /^tools\[0\]\.model: must be a string/);
  });
});

describe("a prompt that is not all in the body", () => {
  it("is one that continues a thread", () => {
    const elsewhere = (thread: string) => withMore(`"thread":${thread}`).promptElsewhere ?? false;
    assert.ok(elsewhere('{"type":"continue","previous_message_id":"msg_1"}'));
    assert.ok(elsewhere('{"previous_message_id":"msg_1"}'));
    assert.ok(!elsewhere('{"type":"create"}'));
    assert.ok(!elsewhere("null"));
    assert.throws(() => elsewhere('["continue"]'), /thread: must be an object or null/);
    assert.throws(
      () => elsewhere('{"type":"create","type":"continue"}'),
      /thread\.type: given more/,
    );
  });
});

describe("the uses of server tools", () => {
  const uses = (tools: string): number | null => withMore(`"tools":[${tools}]`).serverToolUses;

  it("are summed over max_uses", () => {
    assert.equal(
      uses(
        '{"type":"web_search_20260209","max_uses":5},{"type":"web_fetch_20260318","max_uses":2}',
      ),
      7,
    );
  });

  it("are unbounded when one tool has no bound", () => {
    assert.equal(
      uses('{"type":"web_search_20260209","max_uses":5},{"type":"web_fetch_20260318"}'),
      null,
    );
    assert.equal(uses('{"type":"code_execution_20260521"}'), null);
    assert.equal(uses('{"type":"not_known_yet_20270101"}'), null);
    assert.equal(withMore('"mcp_servers":[{"type":"url","url":"https://x"}]').serverToolUses, null);
  });

  it("do not include the caller's own tools", () => {
    assert.equal(
      uses(
        '{"name":"a"},{"type":"custom"},{"type":null},{"type":"bash_20250124"},{"type":"text_editor_20250728"},' +
          '{"type":"computer_20251124"},{"type":"memory_20250818"},{"type":"tool_search_tool_bm25_20251119"},' +
          '{"type":"browser_toolset_20260801"},{"type":"computer_toolset_20260801"}',
      ),
      0,
    );
    assert.equal(withMore('"mcp_servers":[]').serverToolUses, 0);
  });
});
