/** `claude-relay reconcile`: the ledger held against what Anthropic says it billed. */
import { Command } from "commander";
import { adminClient } from "../admin-client.ts";
import { Fault } from "../fault.ts";
import { reconcileTable } from "../reconcile-table.ts";
import { shownJson } from "../shown-json.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { percentage } from "./numbers.ts";

type ReconcileOptions = CommonOptions &
  Readonly<{ from: string; to: string; tolerance?: number; json?: boolean }>;

/** The exit code when the two have drifted apart: 1 is for what could not be compared at all. */
const drifted = 3;
/** Both reports, page by page, of a large organization. */
const timeoutMs = 120_000;

export const reconcileCommand = (terminal: Terminal): Command =>
  new Command("reconcile")
    .description(`compare the ledger with Anthropic's own figures; exit ${drifted} if they drift`)
    .requiredOption("--from <day>", "from this UTC day on, such as 2026-11-01")
    .requiredOption("--to <day>", "until before this UTC day")
    .option("--tolerance <percent>", "how far apart still agrees (default: 1)", percentage)
    .option("--json", "as JSON")
    .action(async (_: unknown, command: Command) => {
      const { url, from, to, tolerance, json } = command.optsWithGlobals<ReconcileOptions>();
      const client = adminClient(terminal.settings(), url);
      const query = new URLSearchParams({
        from,
        to,
        ...(tolerance !== undefined && { tolerance_percent: String(tolerance) }),
      });
      const path = `/admin/reconcile?${query}`;
      const report = await client.call({ method: "GET", path, timeoutMs });
      const lines = reconcileTable(report);
      const { agrees, open_day: openDay } = report;
      if (lines === null || typeof agrees !== "boolean") {
        throw new Fault(
          `The relay at ${client.url} answered without a comparison: its version does not fit this one.`,
        );
      }
      for (const line of json ? [shownJson(report)] : lines) {
        terminal.print(line);
      }
      if (typeof openDay === "string") {
        terminal.note("Today is not over, and Anthropic's figures come minutes later.");
      }
      if (!agrees) {
        terminal.note("The ledger and Anthropic have drifted apart: see docs/reconcile.md.");
        process.exitCode = drifted;
      }
    });
