import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epochMs } from "@claude-relay/contract";
import type { UsageGroup, UsageQueries } from "../pipeline/ports.ts";
import { callsToday } from "./calls-today.ts";

type Query = Parameters<UsageQueries["summary"]>[0];
type Group = Readonly<{ by: UsageGroup["group"]; requests: number }>;

/** Queries that answer with these groups for messages, and with none for the rest; asked for keys alone, with 77. */
const usageOf = (groups: readonly Group[], truncated = false) => {
  const asked: Query[] = [];
  const usage = {
    summary: async (query: Query) => {
      asked.push(query);
      const isMessages = query.operation === "messages";
      const of = isMessages ? groups : [];
      const requests =
        query.callerKind === "app_key" ? 77 : of.reduce((sum, each) => sum + each.requests, 0);
      return {
        totals: { requests: truncated && isMessages && !query.callerKind ? 100 : requests },
        groups: of.map(({ by, requests: count }) => ({ group: by, requests: count })),
        truncated: truncated && isMessages,
      };
    },
  } as unknown as UsageQueries;
  return { usage, asked };
};

const noon = epochMs(Date.parse("2026-11-21T12:34:56Z"));
const group = (more: Readonly<Record<string, string>>, requests: number): Group => ({
  by: { device: null, app_key: null, router: null, user: null, organization: null, ...more },
  requests,
});

const counts = async (usage: UsageQueries): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await callsToday(usage, noon)).map(({ scope, requests }) => [
      `${scope.kind}:${scope.id}`,
      requests,
    ]),
  );

describe("the calls of today", () => {
  it("are added up for everyone who may have a limit of them", async () => {
    const { usage } = usageOf([
      group({ app_key: "a", user: "ann", organization: "lab" }, 2),
      group({ app_key: "b", user: "ann", organization: "lab" }, 3),
      group({ device: "a", organization: "lab" }, 10),
      group({ device: "d" }, 100),
      group({ router: "a", organization: "lab" }, 1000),
    ]);
    assert.deepEqual(await counts(usage), {
      "relay:": 1115,
      "app_key:a": 2,
      "app_key:b": 3,
      "app_key:*": 5,
      "device:a": 10,
      "device:d": 100,
      "user:ann": 5,
      "organization:lab": 1015,
      "router:a": 1000,
    });
  });

  it("are model calls since midnight, UTC, of every door, and nothing else", async () => {
    const { usage, asked } = usageOf([]);
    await callsToday(usage, noon);
    assert.deepEqual(
      asked.map(({ from, operation }) => [from, operation]),
      ["messages", "complete", "router"].map((door) => [Date.parse("2026-11-21T00:00:00Z"), door]),
    );
  });

  it("of all together are whole though there are more callers than are listed", async () => {
    const { usage } = usageOf([group({ app_key: "a" }, 2)], true);
    const found = await counts(usage);
    assert.deepEqual([found["relay:"], found["app_key:*"], found["app_key:a"]], [100, 77, 2]);
  });

  it("are none on a day without any", async () => {
    const { usage } = usageOf([]);
    assert.deepEqual(await callsToday(usage, noon), []);
  });
});
