/** `claude-relay usage`: what each model used, from the ledger. */
import { Command } from "commander";
import { adminClient } from "../admin-client.ts";
import { Fault } from "../fault.ts";
import { shownJson } from "../shown-json.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { usageTable } from "../usage-table.ts";

type UsageOptions = CommonOptions & Readonly<{ from?: string; to?: string; json?: boolean }>;

export const usageCommand = (terminal: Terminal): Command =>
  new Command("usage")
    .description("requests, tokens and cost, by model")
    .option("--from <time>", "from this day or moment on, such as 2026-11-01")
    .option("--to <time>", "until before this day or moment")
    .option("--json", "as JSON")
    .action(async (_: unknown, command: Command) => {
      const { url, from, to, json } = command.optsWithGlobals<UsageOptions>();
      const client = adminClient(terminal.settings(), url);
      const query = new URLSearchParams({
        group_by: "model",
        ...(from && { from }),
        ...(to && { to }),
      });
      const report = await client.call({ method: "GET", path: `/admin/usage?${query}` });
      if (json) {
        terminal.print(shownJson(report));
        return;
      }
      const lines = usageTable(report);
      if (lines === null) {
        throw new Fault(
          `The relay at ${client.url} answered without usage: its version does not fit this one.`,
        );
      }
      for (const line of lines) {
        terminal.print(line);
      }
    });
