import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "./goals.ts";
import { Results } from "./results.ts";

const verdictOn = (results: Results, goal: string) =>
  judge(results).find((verdict) => verdict.goal.startsWith(goal));

test("a goal is met at its limit and missed above it", () => {
  const results = new Results();
  results.add("bare-node", "json", "cpuUs", 20);
  results.add("claude-relay", "json", "cpuUs", 30);
  assert.equal(verdictOn(results, "small JSON ≤ 1.5")?.met, true);
  results.add("bare-node", "json", "cpuUs", 20);
  results.add("claude-relay", "json", "cpuUs", 31);
  assert.equal(verdictOn(results, "small JSON ≤ 1.5")?.met, false);
});

test("as dear as bare Node is not less than bare Node", () => {
  const results = new Results();
  results.add("bare-node", "body200k", "cpuUs", 500);
  results.add("claude-relay", "body200k", "cpuUs", 500);
  assert.equal(verdictOn(results, "200 KB body < bare")?.met, false);
});

test("cheaper than Portkey means that Portkey costs more", () => {
  const results = new Results();
  results.add("portkey", "json", "cpuUs", 1_000);
  results.add("claude-relay", "json", "cpuUs", 50);
  const verdict = verdictOn(results, "small JSON ≥ 10");
  assert.deepEqual([verdict?.met, verdict?.figure], [true, "20.00 ×"]);
});

test("a goal whose other side was not measured is neither met nor missed", () => {
  const results = new Results();
  results.add("claude-relay", "json", "cpuUs", 50);
  assert.equal(verdictOn(results, "small JSON ≤ 3 × nginx")?.met, null);
});

test("the relay with a budget set is judged by its own figures", () => {
  const results = new Results();
  results.add("bare-node", "json", "cpuUs", 20);
  results.add("claude-relay", "json", "cpuUs", 30);
  results.add("claude-relay-budget", "json", "cpuUs", 36);
  const [verdict] = judge(results, "claude-relay-budget");
  assert.deepEqual([verdict?.met, verdict?.figure], [false, "1.80 ×"]);
});

test("a slow minute that hits both sides of a round does not change their ratio", () => {
  const results = new Results();
  for (const slowness of [1, 3, 2]) {
    results.add("nginx", "sse", "cpuUs", 10 * slowness);
    results.add("claude-relay", "sse", "cpuUs", 20 * slowness);
  }
  assert.equal(results.ratio("claude-relay", "nginx", "sse", "cpuUs"), 2);
});
