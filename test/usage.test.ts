/** What was used and what it cost, as an operator sees it and as a device sees it of itself. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { assertRefused, forbidden, invalid } from "./harness/refused.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
type Row = any;

describe("usage", () => {
  let relay: InsideRelay;
  const tokens: Record<string, string> = {};
  let start: number;

  before(async () => {
    relay = await startInside({ env: { IP_RATE_LIMIT_MAX: "100000" } });
    start = relay.now();
    for (const id of ["=formula-device", "other-device-1"]) {
      tokens[id] = await relay.bootstrap(id);
    }
    await createOwners(relay, "lab", "ann");
    const body = { user_id: "ann", organization_id: "lab" };
    await relay.admin("/admin/devices/other-device-1", { method: "PATCH", body });
    await relay.ask(tokens["=formula-device"] ?? "");
    relay.advance(3_600_000);
    await relay.ask(tokens["other-device-1"] ?? "", { model: "claude-sonnet-4-5" });
    relay.advance(1000);
    await relay.ask(tokens["other-device-1"] ?? "", { model: "claude-sim-529" });
  });
  after(() => relay.remove());

  const report = async (query = ""): Promise<Row> => {
    const { status, body, text } = await relay.admin(`/admin/usage${query}`);
    assert.equal(status, 200, text);
    return body;
  };

  it("is summed up: requests, errors, tokens, cost, latency", async () => {
    const { totals } = await report();
    const bills = [...relay.simulator.bills.values()];
    assert.equal(totals.requests, 3);
    assert.equal(totals.errors, 1);
    assert.equal(totals.input_tokens, sum(bills.map(({ usage }) => usage.input_tokens)));
    assert.equal(totals.output_tokens, sum(bills.map(({ usage }) => usage.output_tokens)));
    assert.ok(totals.cost_micro_usd > 0);
    assert.deepEqual(Object.keys(totals.duration_ms), ["p50", "p95", "p99"]);
  });

  it("can be filtered by time, device, user, organisation, model, status, operation and upstream", async () => {
    const iso = (ms: number) => encodeURIComponent(new Date(ms).toISOString());
    const count = async (query: string) => (await report(query)).totals.requests;
    assert.equal(await count(`?from=${iso(start + 1)}`), 2);
    assert.equal(await count(`?to=${iso(start + 1)}`), 1);
    assert.equal(await count(`?from=${iso(start)}&to=${iso(start)}`), 0);
    assert.equal(await count("?device=other-device-1"), 2);
    assert.equal(await count("?user=ann"), 2);
    assert.equal(await count("?org=lab"), 2);
    assert.equal(await count("?model=claude-sonnet-4-5"), 1);
    assert.equal(await count("?status=529"), 1);
    assert.equal(await count("?operation=messages"), 3);
    assert.equal(await count("?operation=count_tokens"), 0);
    assert.equal(await count("?upstream=anthropic&status=200"), 2);
    assert.equal(await count("?upstream=simulator"), 0);
    assert.equal(await count("?device=nobody-here"), 0);
    assert.equal(await count("?user=ann'%20OR%201=1--"), 0);
  });

  it("can be grouped by several dimensions at once", async () => {
    const { groups } = await report("?group_by=org,status");
    const seen = groups.map((group: Row) => [group.group.org, group.group.status, group.requests]);
    assert.deepEqual(
      seen.sort((a: Row, b: Row) => String(a).localeCompare(String(b))),
      [
        [null, 200, 1],
        ["lab", 200, 1],
        ["lab", 529, 1],
      ],
    );
    for (const dimension of [
      "device",
      "user",
      "model",
      "operation",
      "upstream",
      "day",
      "hour",
      "accuracy",
    ]) {
      const grouped = await report(`?group_by=${dimension}`);
      assert.equal(sum(grouped.groups.map(({ requests }: Row) => requests)), 3, dimension);
    }
  });

  it("comes as CSV that no spreadsheet runs", async () => {
    const { headers, text } = await relay.admin("/admin/usage?group_by=device&format=csv");
    assert.equal(headers.get("content-type"), "text/csv; charset=utf-8");
    assert.match(headers.get("content-disposition") ?? "", /attachment; filename="usage\.csv"/);
    const [head, ...lines] = text.trimEnd().split("\r\n");
    assert.match(head ?? "", /^device,requests,errors,.*duration_ms_p99$/);
    assert.equal(lines.length, 2);
    assert.ok(lines.some((line) => line.startsWith("'=formula-device,1,")));
    const rows = await relay.admin("/admin/usage/requests?format=csv");
    assert.equal(rows.text.trimEnd().split("\r\n").length, 4);
  });

  it("lists its rows newest first, in pages that new rows do not disturb", async () => {
    const first = (await relay.admin("/admin/usage/requests?limit=2")).body;
    assert.deepEqual(
      first.data.map(({ status }: Row) => status),
      [529, 200],
    );
    relay.advance(1000);
    await relay.ask(tokens["=formula-device"] ?? "");
    const cursor = encodeURIComponent(first.next_cursor);
    const second = (await relay.admin(`/admin/usage/requests?limit=2&cursor=${cursor}`)).body;
    assert.deepEqual(
      second.data.map((row: Row) => row.device_id),
      ["=formula-device"],
    );
    assert.equal(second.next_cursor, null);
    const [failed] = (await relay.admin("/admin/usage/requests?status=529")).body.data;
    assert.equal(failed.accuracy, "free");
    assert.equal(failed.cost_micro_usd, 0);
    const [measured] = (await relay.admin("/admin/usage/requests?model=claude-sonnet-4-5")).body
      .data;
    assert.equal(measured.accuracy, "measured");
    assert.match(measured.id, /^req_/);
  });

  it("shows a device itself alone", async () => {
    const own = { token: tokens["other-device-1"] ?? "" };
    assert.equal((await relay.call("/admin/usage", own)).body.totals.requests, 2);
    const rows = (await relay.call("/admin/usage/requests", own)).body.data;
    assert.deepEqual([...new Set(rows.map((row: Row) => row.device_id))], ["other-device-1"]);
    const others = await relay.call("/admin/usage?device=%3Dformula-device", own);
    assertRefused(others, forbidden(/sees only its own usage/));
    const grouped = (await relay.call("/admin/usage?group_by=device", own)).body.groups;
    assert.deepEqual(
      grouped.map(({ group }: Row) => group.device),
      ["other-device-1"],
    );
  });

  it("refuses a cursor it did not give", async () => {
    assertRefused(await relay.admin("/admin/usage/requests?cursor=AAAA"), invalid(/cursor/));
  });

  it("refuses times that can be read in two ways, and names the field", async () => {
    const refuse = async (query: string, says: RegExp) => {
      for (const path of ["/admin/usage", "/admin/usage/requests"]) {
        assertRefused(await relay.admin(`${path}?${query}`), invalid(says));
      }
    };
    await refuse("from=2026", /^from must be a time such as/);
    await refuse("to=11/21/2026", /^to must be a time such as/);
    await refuse("from=2026-11-21T12:00:00", /^from must be a time such as/);
    await refuse("from=2026-02-30", /^from must be a time such as/);
    // A plus sign that was not escaped arrives as a blank.
    await refuse("to=2026-11-21T13:00:00+01:00", /%2B/);
    await refuse("from=2026-11-22&to=2026-11-21", /^from must not be after to/);
    const { body } = await relay.admin(
      "/admin/usage?from=2026-11-21T13:00:00%2B01:00&to=2026-11-22",
    );
    assert.equal(body.from, "2026-11-21T12:00:00.000Z");
    assert.equal(body.to, "2026-11-22T00:00:00.000Z");
    assert.equal(body.totals.requests, 4);
  });

  it("refuses filters it does not know, empty ones and those given twice", async () => {
    for (const [query, says] of [
      ["operation=chat", /^operation: /],
      ["status=ok", /^status: /],
      ["status=99", /^status: /],
      ["device=", /^device: /],
      ["upstream=", /^upstream: /],
      ["device=aaaaaaaa&device=bbbbbbbb", /^device: /],
      ["group_by=upstream,", /^group_by: /],
    ] as const) {
      for (const path of ["/admin/usage", "/admin/usage/requests"]) {
        const unknown = path.endsWith("requests") && query.startsWith("group_by");
        assertRefused(
          await relay.admin(`${path}?${query}`),
          invalid(unknown ? /^group_by: unknown field/ : says),
        );
      }
    }
  });

  it("gives a device nothing of others, whatever it filters and groups by", async () => {
    const own = { token: tokens["other-device-1"] ?? "" };
    for (const query of [
      "upstream=anthropic",
      "operation=messages",
      "user=ann",
      "group_by=device,upstream,operation",
    ]) {
      const { body } = await relay.call(`/admin/usage?${query}`, own);
      assert.equal(body.totals.requests, 2, query);
      assert.ok(body.groups.every(({ group }: Row) => group.device === "other-device-1"));
    }
    const everyone = (await relay.admin("/admin/usage/requests?limit=1")).body;
    assert.equal(everyone.data[0].device_id, "=formula-device");
    const cursor = encodeURIComponent(everyone.next_cursor);
    const theirs = await relay.call(`/admin/usage/requests?cursor=${cursor}&limit=9`, own);
    assert.deepEqual(
      theirs.body.data.map((row: Row) => row.device_id),
      ["other-device-1", "other-device-1"],
    );
    for (const path of ["/admin/usage", "/admin/usage/requests"]) {
      for (const query of ["device=%3Dformula-device&upstream=anthropic", "device=nobody-here"]) {
        assertRefused(
          await relay.call(`${path}?${query}`, own),
          forbidden(/sees only its own usage/),
        );
      }
    }
    const alone = "/admin/usage?device=other-device-1";
    assert.equal((await relay.call(alone, own)).body.totals.requests, 2);
  });
});

describe("errors in usage", () => {
  it("are answers that failed, also those that failed after a 200", async (t) => {
    const relay = await startInside();
    t.after(() => relay.remove());
    const token = await relay.bootstrap();
    const scenarios: readonly [model: string, errors: number][] = [
      ["claude-haiku-4-5", 0],
      ["claude-sim-529", 1],
      ["claude-sim-error-after-start:6", 1],
      ["claude-sim-end-mid-stream:6", 1],
    ];
    for (const [model, errors] of scenarios) {
      // A cut-off answer has no proper end, so reading it fails.
      await relay.ask(token, { model, stream: true }).catch(() => undefined);
      const { body } = await relay.admin(`/admin/usage?model=${model}`);
      assert.deepEqual([body.totals.requests, body.totals.errors], [1, errors], model);
    }
    const { body } = await relay.admin("/admin/usage?group_by=status");
    assert.deepEqual(
      body.groups.map(({ group, errors }: Row) => [group.status, errors]),
      [
        [200, 2],
        [529, 1],
      ],
    );
  });
});

describe("usage of the simulator", () => {
  it("can be kept apart from what was paid for", async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    const trial = await startInside({ dataDir, env: { ANTHROPIC_API_KEY: "" } });
    await trial.ask(await trial.bootstrap());
    await trial.close();
    const relay = await startInside({ dataDir });
    t.after(() => relay.remove());
    const token = await relay.bootstrap();
    await relay.ask(token);
    await relay.ask(token);
    const { groups } = (await relay.admin("/admin/usage?group_by=upstream")).body;
    assert.deepEqual(
      groups.map(({ group, requests }: Row) => [group.upstream, requests]),
      [
        ["anthropic", 2],
        ["simulator", 1],
      ],
    );
    const real = (await relay.admin("/admin/usage?upstream=anthropic")).body.totals;
    assert.equal(real.requests, 2);
    const played = (await relay.admin("/admin/usage/requests?upstream=simulator")).body.data;
    assert.deepEqual(
      played.map((row: Row) => row.upstream),
      ["simulator"],
    );
  });
});

const sum = (numbers: readonly number[]): number =>
  numbers.reduce((total, number) => total + number, 0);
