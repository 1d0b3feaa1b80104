import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadConfig } from "../../config.ts";

const load = (adminKey: string) =>
  loadConfig({ environment: { ANTHROPIC_ADMIN_KEY: adminKey }, file: new Map(), faults: [] });

describe("ANTHROPIC_ADMIN_KEY", () => {
  it("is none unless set", () => {
    const loaded = load("");
    assert.ok(loaded.ok);
    assert.equal(loaded.config.anthropicAdminKey, null);
  });

  it("is an Admin API key", () => {
    const loaded = load("sk-ant-admin01-0123456789");
    assert.ok(loaded.ok);
    assert.equal(loaded.config.anthropicAdminKey, "sk-ant-admin01-0123456789");
  });

  it("is no messages key, no placeholder and nothing a header cannot carry, and is not echoed", () => {
    for (const value of [
      "sk-ant-api03-0123456789",
      "sk-ant-admin...",
      "sk-ant-admin01-01234\u00e956789",
      "sk-ant-admin01 0123456789",
      "<your key>",
    ]) {
      const loaded = load(value);
      assert.ok(!loaded.ok, value);
      assert.match(loaded.faults.join(), /^ANTHROPIC_ADMIN_KEY (is no Admin API key|still holds)/);
      assert.ok(!loaded.faults.join().includes(value));
    }
  });
});
