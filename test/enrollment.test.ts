/** Who becomes a device: BOOTSTRAP=open, code and approve. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import { type Answer, type InsideRelay, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { assertRefused, forbidden } from "./harness/refused.ts";

const boot = (
  relay: InsideRelay,
  device_id: string,
  fields: Record<string, unknown> = {},
): Promise<Answer> => relay.call("/bootstrap", { body: { device_id, ...fields } });

describe("BOOTSTRAP=open", () => {
  let relay: InsideRelay;

  before(async () => {
    relay = await startInside({ env: { BOOTSTRAP: "open" } });
  });
  after(() => relay.remove());

  it("gives a program on this machine a token, the base URL and the expiry", async () => {
    const { status, body } = await boot(relay, "test-device-123", { app_version: "1.0.0" });
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body), ["wrapper_token", "proxy_base_url", "expires_at"]);
    assert.equal(body.proxy_base_url, `http://localhost:${relay.port}`);
    const wholeSecond = Math.floor(relay.now() / 1000) * 1000;
    assert.equal(Date.parse(body.expires_at), wholeSecond + 24 * 3_600_000);
  });

  for (const header of ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-host"]) {
    it(`refuses what comes through a proxy or tunnel (${header})`, async () => {
      const answer = await relay.call("/bootstrap", {
        headers: { [header]: "127.0.0.1" },
        body: { device_id: "tunnelled-device" },
      });
      assertRefused(answer, forbidden(/serves this machine only.*set BOOTSTRAP=code/));
    });
  }

  it("refuses a request for another host name: a web page's name bent to loopback", async () => {
    for (const host of [
      "evil.test",
      `evil.test:${relay.port}`,
      "localhost.evil.test",
      "127.0.0.1.evil.test",
    ]) {
      const answer = await bootstrapAs(relay.port, host);
      assert.equal(answer.status, 403, host);
      assert.equal(answer.body.error.type, "permission_error");
    }
    for (const host of ["localhost", `localhost:${relay.port}`, "127.0.0.1", "[::1]:3001"]) {
      assert.equal((await bootstrapAs(relay.port, host)).status, 200, host);
    }
  });

  it("a device's own name is its label, until an admin gives it another", async () => {
    const label = async (): Promise<unknown> =>
      (await relay.admin("/admin/devices/a-named-device")).body.label;
    await boot(relay, "a-named-device", { device_name: "Zoë’s laptop" });
    assert.equal(await label(), "Zoë’s laptop");
    const body = { label: "desk 4" };
    await relay.admin("/admin/devices/a-named-device", { method: "PATCH", body });
    await boot(relay, "a-named-device", { device_name: "the operator's own" });
    assert.equal(await label(), "desk 4");
  });

  for (const device_name of ["", "two\nlines", "\u001b[31mred", "\u202eesrever", "x".repeat(65)]) {
    it(`refuses the name ${JSON.stringify(device_name.slice(0, 12))}, naming the field`, async () => {
      const answer = await boot(relay, "a-misnamed-device", { device_name });
      assert.equal(answer.status, 400);
      assert.match(answer.body.error.message, /device_name/);
    });
  }

  it("no refused device became a row", async () => {
    const { status } = await relay.admin("/admin/devices/tunnelled-device");
    assert.equal(status, 404);
  });
});

/** fetch would not let the Host be chosen. */
const bootstrapAs = (
  port: number,
  host: string,
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
): Promise<{ status: number | undefined; body: any }> =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({ device_id: "host-header-device" });
    const headers = { host, "content-type": "application/json", "content-length": body.length };
    request(
      { port, host: "127.0.0.1", path: "/bootstrap", method: "POST", headers },
      async (res) => {
        let text = "";
        for await (const chunk of res) {
          text += chunk;
        }
        resolve({ status: res.statusCode, body: JSON.parse(text) });
      },
    )
      .on("error", reject)
      .end(body);
  });

describe("BOOTSTRAP=code", () => {
  let relay: InsideRelay;

  before(async () => {
    relay = await startInside({ env: { BOOTSTRAP: "code" } });
  });
  after(() => relay.remove());

  const mint = async (body: Record<string, unknown> = {}) => {
    const answer = await relay.admin("/admin/enrollment-codes", { body });
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  };
  const enter = (device: string, enrollment_code: string) =>
    boot(relay, device, { enrollment_code });
  const refusedAs = (why: string) =>
    forbidden(
      new RegExp(`^enrollment_code is ${why}: ask the operator of this relay for a new one`),
    );

  it("refuses a device without a code, and says whom to ask", async () => {
    assertRefused(await boot(relay, "codeless-device"), forbidden(/^enrollment_code is required/));
  });

  it("lets a device in by a code, however it is written, also from another machine", async () => {
    const { enrollment_code } = await mint({ max_uses: 3 });
    assert.match(enrollment_code, /^[0-9A-Z]{5}(-[0-9A-Z]{5}){3}$/);
    const spoken = enrollment_code
      .toLowerCase()
      .replaceAll("-", " ")
      .replaceAll("1", "l")
      .replaceAll("0", "o");
    for (const [device, code] of [
      ["coded-device-1", enrollment_code],
      ["coded-device-2", spoken],
      ["coded-device-3", enrollment_code.replaceAll("-", "")],
    ] as const) {
      const answer = await relay.call("/bootstrap", {
        headers: { "x-forwarded-for": "203.0.113.9" },
        body: { device_id: device, enrollment_code: code },
      });
      assert.equal(answer.status, 200, answer.text);
      assert.equal((await relay.ask(answer.body.wrapper_token)).status, 200);
    }
  });

  it("refuses an unknown code", async () => {
    assertRefused(await enter("guessing-device", "00000-00000-00000-00000"), refusedAs("unknown"));
  });

  it("counts uses, and refuses the one too many", async () => {
    const { enrollment_code, id } = await mint({ max_uses: 2 });
    assert.equal((await enter("counted-device-1", enrollment_code)).status, 200);
    assert.equal((await enter("counted-device-2", enrollment_code)).status, 200);
    assertRefused(await enter("counted-device-3", enrollment_code), refusedAs("used up"));
    const { body } = await relay.admin("/admin/enrollment-codes");
    const row = body.data.find((code: { id: string }) => code.id === id);
    assert.equal(row.uses_left, 0);
    assert.equal(row.max_uses, 2);
  });

  it("lets exactly one of many through in a race for the last use", async () => {
    const { enrollment_code } = await mint();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => enter(`racing-device-${n}`, enrollment_code)),
    );
    const statuses = answers.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 200).length, 1);
    assert.equal(statuses.filter((status) => status === 403).length, 19);
  });

  it("refuses a code after its time, and until then lets it work", async () => {
    const early = await mint({ expires_in_hours: 0.5 });
    const late = await mint({ expires_in_hours: 0.5 });
    relay.advance(30 * 60_000 - 1);
    assert.equal((await enter("early-device", early.enrollment_code)).status, 200);
    relay.advance(1);
    assertRefused(await enter("late-device", late.enrollment_code), refusedAs("expired"));
  });

  it("refuses a revoked code, and revoking an unknown one is 404", async () => {
    const { enrollment_code, id } = await mint();
    const { status, body } = await relay.admin(`/admin/enrollment-codes/${id}`, {
      method: "DELETE",
    });
    assert.equal(status, 200);
    assert.ok(Date.parse(body.revoked_at) > 0);
    assertRefused(await enter("shut-out-device", enrollment_code), refusedAs("revoked"));
    const unknown = await relay.admin("/admin/enrollment-codes/enr_none", { method: "DELETE" });
    assert.equal(unknown.status, 404);
  });

  it("stamps the code's policy and owner on the device", async () => {
    await createOwners(relay, "org-9", "user-7");
    const { enrollment_code } = await mint({
      models: ["claude-haiku-*"],
      requests_per_minute: 5,
      user_id: "user-7",
      organization_id: "org-9",
      label: "the lab",
    });
    assert.equal((await enter("stamped-device", enrollment_code)).status, 200);
    const { body } = await relay.admin("/admin/devices/stamped-device");
    assert.deepEqual(body.models, ["claude-haiku-*"]);
    assert.equal(body.requests_per_minute, 5);
    assert.equal(body.user_id, "user-7");
    assert.equal(body.organization_id, "org-9");
  });

  it("demands a code for a known device too: its name alone buys nothing", async () => {
    const { enrollment_code } = await mint();
    assert.equal((await enter("known-device", enrollment_code)).status, 200);
    assertRefused(await boot(relay, "known-device"), forbidden(/required/));
    const again = await mint();
    assert.equal((await enter("known-device", again.enrollment_code)).status, 200);
  });

  it("does not spend a code on a device that is barred", async () => {
    const { enrollment_code, id } = await mint({ max_uses: 2 });
    await enter("barred-device", enrollment_code);
    await relay.admin("/admin/devices/barred-device", {
      method: "PATCH",
      body: { status: "disabled" },
    });
    assertRefused(await enter("barred-device", enrollment_code), forbidden(/disabled/));
    const { body } = await relay.admin("/admin/enrollment-codes");
    assert.equal(body.data.find((code: { id: string }) => code.id === id).uses_left, 1);
  });

  it("shows a code once: no list gives it again", async () => {
    const { enrollment_code } = await mint();
    const { text } = await relay.admin("/admin/enrollment-codes");
    assert.ok(!text.includes(enrollment_code));
    assert.doesNotMatch(text, /enrollment_code"|hash/i);
  });
});

describe("BOOTSTRAP=approve", () => {
  let relay: InsideRelay;

  before(async () => {
    relay = await startInside({ env: { BOOTSTRAP: "approve" } });
  });
  after(() => relay.remove());

  const approve = (id: string) => relay.admin(`/admin/devices/${id}/approve`, { method: "POST" });

  it("a device waits at 202 until an admin approves it, and no token exists before", async () => {
    for (let asked = 0; asked < 3; asked += 1) {
      const { status, body } = await boot(relay, "waiting-device");
      assert.equal(status, 202);
      assert.equal(body.status, "pending");
      assert.equal(body.device_id, "waiting-device");
      assert.equal(body.wrapper_token, undefined);
    }
    const waiting = await relay.admin("/admin/devices?status=pending");
    assert.deepEqual(
      waiting.body.data.map((row: { id: string }) => row.id),
      ["waiting-device"],
    );
    assert.equal(waiting.body.data[0].waiting_for_approval, true);
    assert.equal((await approve("waiting-device")).body.waiting_for_approval, false);
    const { status, body } = await boot(relay, "waiting-device");
    assert.equal(status, 200);
    assert.equal((await relay.ask(body.wrapper_token)).status, 200);
  });

  it("setting a device that waits to active approves it, and it waits no more", async () => {
    await boot(relay, "activated-device");
    const change = { method: "PATCH", body: { status: "active" } };
    const { body: row } = await relay.admin("/admin/devices/activated-device", change);
    assert.deepEqual([row.status, row.waiting_for_approval], ["active", false]);
    assert.equal(row.approved_at, new Date(relay.now()).toISOString());
    const { body } = await relay.admin("/admin/audit?subject=activated-device");
    assert.equal(body.data[0].action, "device.approve");
    assert.equal((await boot(relay, "activated-device")).status, 200);
    // It is an approval like any other: for one token.
    assert.equal((await boot(relay, "activated-device")).status, 202);
  });

  it("setting one that was turned away to active lets it ask again, and gives it nothing", async () => {
    await boot(relay, "readmitted-device");
    const set = (status: string) =>
      relay.admin("/admin/devices/readmitted-device", { method: "PATCH", body: { status } });
    for (const barred of ["disabled", "revoked"]) {
      await set(barred);
      assertRefused(await boot(relay, "readmitted-device"), forbidden(new RegExp(barred)));
      assert.equal((await set("active")).body.waiting_for_approval, true);
      assert.equal((await boot(relay, "readmitted-device")).status, 202);
    }
    assert.equal((await approve("readmitted-device")).body.waiting_for_approval, false);
    assert.equal((await boot(relay, "readmitted-device")).status, 200);
  });

  it("setting an active device to active does not approve whoever asks by its name", async () => {
    await boot(relay, "envied-device");
    await approve("envied-device");
    await boot(relay, "envied-device");
    assert.equal((await boot(relay, "envied-device")).status, 202, "a stranger asks");
    const change = { method: "PATCH", body: { status: "active" } };
    await relay.admin("/admin/devices/envied-device", change);
    assert.equal((await boot(relay, "envied-device")).status, 202);
  });

  it("an approval is spent by the first token, though the clock stands still", async () => {
    await boot(relay, "spending-device");
    await approve("spending-device");
    assert.equal((await boot(relay, "spending-device")).status, 200);
    assert.equal((await boot(relay, "spending-device")).status, 202);
  });

  it("of many that ask at once on one approval, one gets a token", async () => {
    await boot(relay, "crowded-device");
    relay.advance(1000);
    await approve("crowded-device");
    relay.advance(1000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => boot(relay, "crowded-device")),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ status }) => status === 202).length, 19);
  });

  it("a stranger who asks by an active device's name gets nothing and locks nobody out", async () => {
    await boot(relay, "coveted-device");
    relay.advance(1000);
    await approve("coveted-device");
    relay.advance(1000);
    const { body } = await boot(relay, "coveted-device");
    relay.advance(1000);
    for (let asked = 0; asked < 5; asked += 1) {
      assert.equal((await boot(relay, "coveted-device")).status, 202);
    }
    assert.equal((await relay.ask(body.wrapper_token)).status, 200);
    const refreshed = await relay.call("/refresh", { method: "POST", token: body.wrapper_token });
    assert.equal(refreshed.status, 200);
    const row = (await relay.admin("/admin/devices/coveted-device")).body;
    assert.equal(row.status, "active");
    assert.equal(row.waiting_for_approval, true);
  });

  it("an approval of a barred device is a conflict, of an unknown one 404", async () => {
    await boot(relay, "refused-device");
    await relay.admin("/admin/devices/refused-device", {
      method: "PATCH",
      body: { status: "revoked" },
    });
    assertRefused(await approve("refused-device"), {
      status: 409,
      type: "invalid_request_error",
      says: /is revoked: set its status to active first/,
      retry: "false",
    });
    assertRefused(await boot(relay, "refused-device"), forbidden(/revoked/));
    assert.equal((await approve("nobody-at-all")).status, 404);
  });
});
