import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { createStore } from "./store.ts";
import { onEachDatabase, openAt, type Place } from "./testing/databases.ts";
import { requestId } from "./testing/samples.ts";

const fixture = fileURLToPath(new URL("./testing/kill-fixture.ts", import.meta.url));
const rounds = Number(process.env["KILL_ROUNDS"] ?? 30);

type Acknowledged = { opened: string[]; closed: string[] };

/** Runs the fixture, kills it once it has acknowledged `acknowledgements` lines, and tells which. */
const runAndKill = async (
  place: Place,
  first: number,
  acknowledgements: number,
): Promise<Acknowledged> => {
  const child = spawn(process.execPath, [fixture, String(first)], {
    env: { ...process.env, PLACE: JSON.stringify(place) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  let lines = 0;
  let killed = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    lines += text.split("\n").length - 1;
    if (lines >= acknowledgements && !killed) {
      killed = true;
      child.kill("SIGKILL");
    }
  });
  const [code, signal] = await once(child, "close");
  assert.equal(signal, "SIGKILL", `the fixture ended by itself with ${code}`);
  // A line cut off by the kill was not acknowledged.
  const whole = output.slice(0, output.lastIndexOf("\n")).split("\n");
  const ids = (mark: string): string[] =>
    whole.filter((line) => line.startsWith(mark)).map((line) => requestId(Number(line.slice(2))));
  return { opened: ids("o "), closed: ids("c ") };
};

onEachDatabase((database) => {
  test(`a process killed under load ${rounds} times loses no acknowledged request and doubles none`, async (context) => {
    const place = await database.newPlace(context);
    const opened = new Set<string>();
    const closed = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      // From "just started" to several segments later; the moment within a turn is the scheduler's.
      const lines = 1 + Math.floor(Math.random() * 12_000);
      const acknowledged = await runAndKill(place, round * 1_000_000, lines);
      for (const id of acknowledged.opened) {
        opened.add(id);
      }
      for (const id of acknowledged.closed) {
        closed.add(id);
      }
    }
    const store = await createStore(place);
    assert.ok(store.recovered > 0, "the last round left requests open");
    await store.close();
    const { db } = await openAt(context, place);
    if (place.postgres === null) {
      const checked = await sql`pragma integrity_check`.execute(db);
      assert.deepEqual(checked.rows, [{ integrity_check: "ok" }]);
    }
    const rows = await db.selectFrom("requests").select(["id", "ending"]).execute();
    const endings = new Map(rows.map((row): [string, string] => [row.id, row.ending]));
    assert.equal(endings.size, rows.length, "no id twice");
    const lost = [...opened].filter((id) => !endings.has(id));
    assert.deepEqual(lost, [], "every acknowledged intent has a row");
    const forgotten = [...closed].filter((id) => endings.get(id) !== "complete");
    assert.deepEqual(forgotten, [], "every acknowledged outcome is its row's ending");
    context.diagnostic(`${opened.size} intents and ${closed.size} outcomes acknowledged, 0 lost`);
  });
});
