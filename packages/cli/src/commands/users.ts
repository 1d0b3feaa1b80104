/** `claude-relay users`: people who may sign in, over the relay's admin API. */
import type { User } from "@claude-relay/contract";
import { Command } from "commander";
import { adminClient } from "../admin-client.ts";
import { moment, text } from "../cells.ts";
import { printable } from "../fault.ts";
import { ownName, quoted } from "../own-name.ts";
import { listAll } from "../page-list.ts";
import { printList } from "../print-list.ts";
import { readSecret } from "../read-secret.ts";
import { table } from "../table.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";

export const usersCommand = (terminal: Terminal): Command =>
  new Command("users")
    .alias("user")
    .description("people: add, list, set the password they sign in with")
    .addCommand(addCommand(terminal))
    .addCommand(listCommand(terminal))
    .addCommand(passwordCommand(terminal));

type AddOptions = CommonOptions & Readonly<{ fullName?: string; organization?: string }>;

const addCommand = (terminal: Terminal): Command =>
  new Command("add")
    .description("make a user, to whom devices and app keys can belong")
    .argument("<name>", "the user's id, such as ann@example.com")
    .option("--full-name <name>", "as people call them")
    .option("--organization <id>", "the organization they belong to")
    .action(async (name: string, _: unknown, command: Command) => {
      const { url, fullName, organization } = command.optsWithGlobals<AddOptions>();
      await adminClient(terminal.settings(), url).call({
        method: "POST",
        path: "/admin/users",
        body: { id: name, name: fullName, organization_id: organization },
      });
      const shown = printable(name);
      terminal.note(
        `Added ${shown}. To sign in they need a password: ${ownName()} users password ${quoted(shown)}`,
      );
    });

const listCommand = (terminal: Terminal): Command =>
  new Command("list")
    .description("every user, newest first")
    .option("--json", "as JSON")
    .action(async (_: unknown, command: Command) => {
      const { url, json } = command.optsWithGlobals<CommonOptions & { json?: boolean }>();
      const users = await listAll<User>(
        adminClient(terminal.settings(), url),
        "/admin/users",
        "users",
      );
      const hint = `No users yet. Add one: ${ownName()} users add ann@example.com`;
      printList(terminal, users, { json, table: userTable, hint });
    });

const userTable = (users: readonly User[]): string[] =>
  table(
    ["USER", "NAME", "ORGANIZATION", "ADDED"],
    users.map((user) => [
      printable(user.id),
      text(user.name),
      text(user.organization_id),
      moment(user.created_at),
    ]),
  );

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
      await client.call({
        method: "PUT",
        path,
        body: { password },
        remedies: { 404: `To make the user: ${ownName()} users add ${quoted(shown)}` },
      });
      terminal.note(
        `${shown} has this password now, and earlier sign-ins are over. Signing in works while the relay runs with GATEWAY_SIGNIN=on.`,
      );
    });
