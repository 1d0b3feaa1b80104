/** `claude-relay setting`: one line for scripts such as install.sh. Never a secret. */
import { Argument, Command } from "commander";
import { dataDir, secretsPath } from "../admin-token.ts";
import { relayAddress } from "../relay-address.ts";
import { readIfThere, type Settings } from "../settings.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";

const answers = {
  url: (settings: Settings, url: string | undefined) => relayAddress(settings, url).url,
  "data-dir": dataDir,
  "admin-token": (settings: Settings) =>
    settings.get("ADMIN_TOKEN")?.from ??
    (readIfThere(secretsPath(settings)) === null ? "none" : secretsPath(settings)),
} as const;

export const settingCommand = (terminal: Terminal): Command =>
  new Command("setting")
    .description(
      "where a relay in this folder listens, keeps its data, or has its admin token from",
    )
    .addArgument(new Argument("<name>", "which").choices(Object.keys(answers)))
    .action((name: keyof typeof answers, _: unknown, command: Command) => {
      const { url } = command.optsWithGlobals<CommonOptions>();
      terminal.print(answers[name](terminal.settings(), url));
    });
