/** One of several processes that ask one Redis at once. Arguments: its address, the prefix. */
import { askFor, budget, dollars } from "../../testing/admission-harness.ts";
import { instanceOptions, TestInstance, TestLedger } from "../test-setup.ts";

const [url = "", prefix = ""] = process.argv.slice(2);
const ledger = new TestLedger();
const options = instanceOptions(url, ledger, { prefix, patienceMs: 5_000, localShare: 0 });
const instance = new TestInstance(ledger, options);
await instance.admission.whenUp();

process.on("message", async ({ asks }: { asks: number }) => {
  const verdicts = await Promise.all(
    Array.from({ length: asks }, () => instance.ask(askFor(dollars(1), { budgets: [budget(10)] }))),
  );
  process.send?.({ granted: verdicts.filter(({ kind }) => kind === "granted").length });
});
process.send?.({ ready: true });
