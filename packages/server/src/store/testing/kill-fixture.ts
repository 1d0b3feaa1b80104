/**
 * A process to be killed: opens a store at the place PLACE tells and appends as fast as it can, from id argv[2] on,
 * naming each id on stdout once the ledger has it: `o <number>` for an intent, `c <number>` for an outcome.
 */
import { createStore } from "../store.ts";
import type { Place } from "./databases.ts";
import { sampleIntent, sampleOutcome, sampleProgress } from "./samples.ts";

const [, , first = "0"] = process.argv;
const place = JSON.parse(process.env["PLACE"] ?? "{}") as Place;
// Short segments and frequent folds, so that a kill also hits rotation, folding and release.
const store = await createStore({ ...place, segmentBytes: 64 * 1024, foldDelayMs: 1 });
process.stdout.write("ready\n");

for (let next = Number(first); ; next += 8) {
  const numbers = Array.from({ length: 8 }, (_, index) => next + index);
  await Promise.all(
    numbers.map(async (number) => {
      await store.ledger.open(sampleIntent(number));
      process.stdout.write(`o ${number}\n`);
    }),
  );
  for (const number of numbers) {
    if (number % 3 === 0) {
      store.ledger.progress(sampleProgress(number, 10));
    }
    // Every eighth request stays open.
    if (number % 8 !== 7) {
      store.ledger.close(sampleOutcome(number));
    }
  }
  await store.flushed();
  process.stdout.write(numbers.map((number) => (number % 8 === 7 ? "" : `c ${number}\n`)).join(""));
}
