/** Usage for spreadsheets: heads, and pages that can be followed. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";

describe("usage as CSV", () => {
  let relay: InsideRelay;
  let token: string;

  before(async () => {
    relay = await startInside({ env: { IP_RATE_LIMIT_MAX: "100000" } });
    token = await relay.bootstrap("paging-device");
    for (let made = 0; made < 5; made += 1) {
      relay.advance(1000);
      await relay.ask(token);
    }
  });
  after(() => relay.remove());

  const lines = (text: string): string[] => text.split("\r\n").slice(0, -1);

  it("has its head where there is nothing to list", async () => {
    const rows = (await relay.admin("/admin/usage/requests?format=csv")).text;
    const noRows = await relay.admin("/admin/usage/requests?format=csv&upstream=elsewhere");
    assert.deepEqual(lines(noRows.text), lines(rows).slice(0, 1));
    assert.match(noRows.text, /^id,started_at,finished_at,.*,upstream,upstream_request_id\r\n$/);
    assert.equal(noRows.headers.get("link"), null);
    const groups = (await relay.admin("/admin/usage?format=csv&group_by=org,model")).text;
    const noGroups = await relay.admin(
      "/admin/usage?format=csv&group_by=org,model&upstream=elsewhere",
    );
    assert.deepEqual(lines(noGroups.text), lines(groups).slice(0, 1));
    assert.match(noGroups.text, /^org,model,requests,errors,.*,duration_ms_p99\r\n$/);
    const nothing = (await relay.admin("/admin/usage?format=csv&upstream=elsewhere")).text;
    assert.match(nothing, /^requests,errors,.*\r\n0,0,.*,,\r\n$/);
  });

  it("can be followed from page to page by its link or its cursor, filters and all", async () => {
    const every = (await relay.admin("/admin/usage/requests?format=csv")).text;
    let path = "/admin/usage/requests?format=csv&limit=2&from=2026-11-21T00:00:00%2B00:00";
    const seen: string[] = [];
    for (let page = 1; page <= 3; page += 1) {
      const { headers, text, status } = await relay.admin(path);
      assert.equal(status, 200, text);
      seen.push(...lines(text).slice(1));
      const next = /^<([^>]*)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1];
      const cursor = headers.get("x-relay-next-cursor");
      assert.deepEqual([next === undefined, cursor === null], [page === 3, page === 3]);
      if (next !== undefined) {
        const url = new URL(next, `${relay.url}${path}`);
        assert.equal(url.searchParams.get("cursor"), cursor);
        assert.equal(url.searchParams.get("from"), "2026-11-21T00:00:00+00:00");
        path = `${url.pathname}${url.search}`;
      }
    }
    assert.deepEqual(seen, lines(every).slice(1));
  });

  it("pages a device through its own rows alone", async () => {
    const stranger = await relay.bootstrap("another-device");
    await relay.ask(stranger);
    const path = "/admin/usage/requests?format=csv&limit=4";
    const first = await relay.call(path, { token });
    const next = /^<([^>]*)>/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    assert.doesNotMatch(next, /device/);
    const url = new URL(next, `${relay.url}${path}`);
    const second = await relay.call(`${url.pathname}${url.search}`, { token });
    const rows = [...lines(first.text).slice(1), ...lines(second.text).slice(1)];
    assert.equal(rows.length, 5);
    assert.ok(rows.every((row) => row.includes(",paging-device,")));
  });

  it("names the next page for JSON too", async () => {
    const { headers, body } = await relay.admin("/admin/usage/requests?limit=1");
    assert.equal(headers.get("x-relay-next-cursor"), body.next_cursor);
    const cursor = encodeURIComponent(body.next_cursor);
    assert.equal(headers.get("link"), `<?limit=1&cursor=${cursor}>; rel="next"`);
  });
});
