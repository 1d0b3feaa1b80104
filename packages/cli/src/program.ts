import { Command } from "commander";
import { codesCommand } from "./commands/codes.ts";
import { connectCommand } from "./commands/connect.ts";
import { devicesCommand } from "./commands/devices.ts";
import { envCommand } from "./commands/env.ts";
import { healthCommand } from "./commands/health.ts";
import { keysCommand } from "./commands/keys.ts";
import { reconcileCommand } from "./commands/reconcile.ts";
import { routersCommand } from "./commands/routers.ts";
import { runCommand } from "./commands/run.ts";
import { doctorCommand, startCommand } from "./commands/server.ts";
import { settingCommand } from "./commands/setting.ts";
import { tokenCommand } from "./commands/token.ts";
import { usageCommand } from "./commands/usage.ts";
import { usersCommand } from "./commands/users.ts";
import type { Terminal } from "./terminal.ts";
import { cliVersion } from "./version.ts";

/** Every command of `claude-relay`; none has run yet. */
export const createProgram = (terminal: Terminal): Command =>
  new Command("claude-relay")
    .description("A self-hosted gateway for Anthropic's Claude.")
    .version(cliVersion)
    .option(
      "--url <url>",
      "the relay to speak to (default: CLAUDE_RELAY_URL, or HOST and PORT of the relay in this folder)",
    )
    .addCommand(startCommand())
    .addCommand(doctorCommand())
    .addCommand(healthCommand(terminal))
    .addCommand(connectCommand(terminal))
    .addCommand(tokenCommand(terminal))
    .addCommand(envCommand(terminal))
    .addCommand(runCommand(terminal))
    .addCommand(keysCommand(terminal))
    .addCommand(codesCommand(terminal))
    .addCommand(devicesCommand(terminal))
    .addCommand(routersCommand(terminal))
    .addCommand(usersCommand(terminal))
    .addCommand(usageCommand(terminal))
    .addCommand(reconcileCommand(terminal))
    .addCommand(settingCommand(terminal), { hidden: true })
    .showHelpAfterError("(--help shows how)");
