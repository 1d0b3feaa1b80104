/** `claude-relay users`: people who may sign in, over the relay's admin API. */
import { Command } from "commander";
import { adminClient } from "../admin-client.ts";
import { printable } from "../fault.ts";
import { readSecret } from "../read-secret.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";

export const usersCommand = (terminal: Terminal): Command =>
  new Command("users")
    .alias("user")
    .description("people who sign in: set a password, take it away")
    .addCommand(passwordCommand(terminal));

type PasswordOptions = CommonOptions & Readonly<{ remove?: boolean }>;

const passwordCommand = (terminal: Terminal): Command =>
  new Command("password")
    .description(
      "set the password a user signs in with, read from standard input; ends their sign-ins",
    )
    .argument("<name>", "the user's id, such as ann@example.com")
    .option("--remove", "take the password away: the user can sign in no more")
    .action(async (name: string, _: unknown, command: Command) => {
      const { url, remove } = command.optsWithGlobals<PasswordOptions>();
      const client = adminClient(terminal.settings(), url);
      const path = `/admin/users/${encodeURIComponent(name)}/password`;
      const shown = printable(name);
      if (remove) {
        await client.call({ method: "DELETE", path });
        terminal.note(`${shown} can sign in no more, and is signed out everywhere.`);
        return;
      }
      const password = await readSecret(process.stdin, () =>
        terminal.note(`New password of ${shown} (not shown):`),
      );
      await client.call({ method: "PUT", path, body: { password } });
      terminal.note(
        `${shown} has this password now, and earlier sign-ins are over. Signing in works while the relay runs with GATEWAY_SIGNIN=on.`,
      );
    });
