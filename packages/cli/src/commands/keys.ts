/** `claude-relay keys`: app keys over the relay's admin API. */
import type { AppKey } from "@claude-relay/contract";
import { Command, InvalidArgumentError } from "commander";
import { type AdminClient, adminClient } from "../admin-client.ts";
import { keyTable } from "../key-table.ts";
import { newSecret } from "../new-secret.ts";
import { listAll } from "../page-list.ts";
import { printList } from "../print-list.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { named } from "./named.ts";
import { positive, several, wholeNumber } from "./numbers.ts";

export const keysCommand = (terminal: Terminal): Command =>
  new Command("keys")
    .description("app keys: mint, list, revoke, rotate")
    .addCommand(mintCommand(terminal))
    .addCommand(listCommand(terminal))
    .addCommand(revokeCommand(terminal))
    .addCommand(rotateCommand(terminal));

const most = 1_000_000_000;
const label = named("label");

const seeList = "`claude-relay keys list` shows the keys there are.";

type MintOptions = CommonOptions &
  Readonly<{
    model?: readonly string[];
    rpm?: number;
    concurrency?: number;
    door?: readonly string[];
    expiresInHours?: number;
  }>;

const mintCommand = (terminal: Terminal): Command =>
  new Command("mint")
    .description("make a key; its secret is printed once, alone on standard output")
    .argument("<label>", "the app's name, such as my-app", label)
    .argument("[daily_limit]", "requests a day (default: PER_KEY_DAILY)", wholeNumber(1, most))
    .option(
      "--model <model>",
      "allow only this model or pattern, such as 'claude-haiku-*'; repeatable",
      several,
    )
    .option("--rpm <n>", "requests a minute (default: PER_KEY_RPM)", wholeNumber(1, most))
    .option("--concurrency <n>", "requests at the same time", wholeNumber(1, most))
    .option("--door <door>", "allow only messages, complete or fetch; repeatable", doors)
    .option("--expires-in-hours <n>", "the key ends by itself", positive(24 * 365 * 10))
    .action(async (name: string, daily: number | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<MintOptions>();
      const client = adminClient(terminal.settings(), options.url);
      const body = await client.call({
        method: "POST",
        path: "/admin/keys",
        body: {
          label: name,
          requests_per_day: daily,
          models: options.model,
          requests_per_minute: options.rpm,
          concurrency: options.concurrency,
          doors: options.door,
          expires_in_hours: options.expiresInHours,
        },
        remedies: {
          409: `(claude-relay keys rotate ${name}; claude-relay keys revoke ${name}.)`,
        },
      });
      const secret = secretOf(body, client);
      terminal.note(`The key of ${name}, shown this once; keep it where ${name} finds it:`);
      terminal.print(secret);
      terminal.note(`Its app sets CLAUDE_RELAY_URL=${client.url} and CLAUDE_RELAY_KEY to the key.`);
    });

const doors = (text: string, before: readonly string[] = []): readonly string[] => {
  const all = several(text, before);
  const wrong = all.find((door) => !["messages", "complete", "fetch"].includes(door));
  if (wrong !== undefined) {
    throw new InvalidArgumentError("Doors are messages, complete and fetch.");
  }
  return all;
};

const secretOf = (body: Record<string, unknown>, client: AdminClient): string =>
  newSecret(body, client, /^crk_[A-Za-z0-9]+$/, "key");

const listCommand = (terminal: Terminal): Command =>
  new Command("list")
    .description("every key, newest first; secrets are not stored and not shown")
    .option("--json", "as JSON")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { json?: boolean }>();
      const client = adminClient(terminal.settings(), options.url);
      const keys = await listAll<AppKey>(client, "/admin/keys", "keys");
      const hint = "No keys yet. Mint one: claude-relay keys mint my-app";
      printList(terminal, keys, { json: options.json, table: keyTable, hint });
    });

const revokeCommand = (terminal: Terminal): Command =>
  new Command("revoke")
    .description("end a key at once")
    .argument("<label>", "the key's label", label)
    .action(async (name: string, _: unknown, command: Command) => {
      const { url } = command.optsWithGlobals<CommonOptions>();
      await adminClient(terminal.settings(), url).call({
        method: "DELETE",
        path: `/admin/keys/${encodeURIComponent(name)}`,
        remedies: { 404: seeList },
      });
      terminal.note(`Revoked ${name}: its key is refused from now on.`);
    });

type RotateOptions = CommonOptions & Readonly<{ graceSeconds?: number }>;

const rotateCommand = (terminal: Terminal): Command =>
  new Command("rotate")
    .description("give a key a new secret, printed once; the old one works on for a grace")
    .argument("<label>", "the key's label", label)
    .option(
      "--grace-seconds <n>",
      "how long the old secret works on (default: 3600)",
      wholeNumber(0, 7 * 24 * 3600),
    )
    .action(async (name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<RotateOptions>();
      const client = adminClient(terminal.settings(), options.url);
      const body = await client.call({
        method: "POST",
        path: `/admin/keys/${encodeURIComponent(name)}/rotate`,
        body: { grace_seconds: options.graceSeconds },
        remedies: { 404: seeList, 409: seeList },
      });
      const secret = secretOf(body, client);
      terminal.note(`The new key of ${name}, shown this once:`);
      terminal.print(secret);
      const until = body["previous_secret_valid_until"];
      terminal.note(
        typeof until === "string"
          ? `The old one works until ${until}.`
          : "The old one is refused from now on.",
      );
    });
