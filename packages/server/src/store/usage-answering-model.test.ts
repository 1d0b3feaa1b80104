import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelId } from "@claude-relay/contract";
import { createStore } from "./store.ts";
import { onEachDatabase } from "./testing/databases.ts";
import { sampleIntent, sampleOutcome } from "./testing/samples.ts";

onEachDatabase((database) => {
  test("usage by the model that answered takes the one asked for where no answer came", async (context) => {
    const store = await createStore(await database.newPlace(context));
    context.after(() => store.close());
    const asked = "claude-haiku-4-5" as ModelId;
    for (const [number, responseModel] of [
      "claude-haiku-4-5-20251001" as ModelId,
      "claude-opus-5-5" as ModelId,
      null,
    ].entries()) {
      await store.ledger.open(sampleIntent(number, { model: asked }));
      store.ledger.close(sampleOutcome(number, { responseModel }));
    }
    const { groups } = await store.usage.summary({ groupBy: ["answering_model"] });
    assert.deepEqual(
      groups.map(({ group, requests }) => [group.answering_model, requests]),
      [
        ["claude-haiku-4-5", 1],
        ["claude-haiku-4-5-20251001", 1],
        ["claude-opus-5-5", 1],
      ],
    );
  });
});
