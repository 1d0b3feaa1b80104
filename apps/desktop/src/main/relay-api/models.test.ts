import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeTime } from "../../../test/harness/fake-time.ts";
import { CallError } from "../../bridge/call-error.ts";
import type { AppEvent } from "../../bridge/protocol.ts";
import { Models } from "./models.ts";
import type { ReadRelay } from "./relay-reader.ts";

type Listed = { id: string; display_name?: string; max_tokens?: number | null };

const setUp = () => {
  const time = new FakeTime();
  const events: AppEvent[] = [];
  const paths: string[] = [];
  const world = { relayUrl: "https://one", all: [] as Listed[], isAway: false, pageSize: 100 };
  const read = (async (path: string) => {
    paths.push(path);
    if (world.isAway) {
      throw new CallError({ code: "failed", message: "away" });
    }
    const after = new URL(path, "https://x").searchParams.get("after_id");
    const start = world.all.findIndex(({ id }) => id === after) + 1;
    const data = world.all.slice(start, start + world.pageSize);
    const has_more = start + data.length < world.all.length;
    return { data, has_more, last_id: data.at(-1)?.id ?? null };
  }) as ReadRelay;
  const relay = () => ({
    relayUrl: world.relayUrl,
    token: async () => "t",
    reject: () => undefined,
  });
  const models = new Models({
    relay,
    read,
    emit: (event) => events.push(event),
    clock: time.clock,
  });
  return { time, events, paths, world, models };
};

describe("the models", () => {
  it("come from all pages, named or by their ids, once for some minutes", async () => {
    const { time, events, paths, world, models } = setUp();
    world.all = [{ id: "a", display_name: "A" }, { id: "b", display_name: "" }, { id: "c" }];
    world.pageSize = 2;
    const listed = [
      { id: "a", displayName: "A" },
      { id: "b", displayName: "b" },
      { id: "c", displayName: "c" },
    ];
    assert.deepEqual(await models.list(), listed);
    assert.deepEqual(paths, ["/v1/models?limit=100", "/v1/models?limit=100&after_id=b"]);
    await time.pass(299_000);
    assert.deepEqual(await models.list(), listed);
    assert.equal(paths.length, 2);
    await time.pass(2_000);
    assert.deepEqual(await models.list(), listed);
    await time.pass(0);
    assert.equal(paths.length, 4);
    assert.deepEqual(events, [], "nothing changed");
  });

  it("that are others by now are told of", async () => {
    const { time, events, world, models } = setUp();
    world.all = [{ id: "a" }];
    await models.list();
    world.all = [{ id: "a" }, { id: "b" }];
    await time.pass(301_000);
    assert.equal((await models.list()).length, 1, "what is known is given at once");
    await time.pass(0);
    assert.deepEqual(events, [{ type: "models_changed" }]);
    assert.equal((await models.list()).length, 2);
  });

  it("stay known while the relay is away, and fail without any knowledge", async () => {
    const { time, events, world, models } = setUp();
    world.isAway = true;
    await assert.rejects(models.list(), { code: "failed", message: "away" });
    world.isAway = false;
    world.all = [{ id: "a" }];
    assert.equal((await models.list()).length, 1);
    world.isAway = true;
    await time.pass(301_000);
    assert.equal((await models.list()).length, 1);
    await time.pass(0);
    assert.deepEqual(events, []);
  });

  it("of one relay are not those of another", async () => {
    const { world, models } = setUp();
    world.all = [{ id: "a" }];
    await models.list();
    world.relayUrl = "https://other";
    world.all = [{ id: "b" }];
    assert.deepEqual(
      (await models.list()).map(({ id }) => id),
      ["b"],
    );
  });

  it("are not listed for ever by a relay that never ends", async () => {
    const { paths, world, models } = setUp();
    world.all = Array.from({ length: 100 }, (_, count) => ({ id: `m${count}` }));
    world.pageSize = 1;
    assert.equal((await models.list()).length, 20);
    assert.equal(paths.length, 20);
  });

  it("are asked for answers as long as they give, and no longer than is usual", async () => {
    const { world, models } = setUp();
    assert.equal(models.maxTokensOf("small"), 8192);
    world.all = [
      { id: "small", max_tokens: 4096 },
      { id: "large", max_tokens: 128_000 },
      { id: "silent", max_tokens: null },
    ];
    await models.list();
    assert.deepEqual(
      ["small", "large", "silent", "unknown"].map((id) => models.maxTokensOf(id)),
      [4096, 8192, 8192, 8192],
    );
  });
});
