/** `claude-relay router`: MikroTik routers over the relay's admin API. */
import type { KnownRouter } from "@claude-relay/contract";
import { Command, InvalidArgumentError } from "commander";
import { type AdminClient, adminClient } from "../admin-client.ts";
import { newSecret } from "../new-secret.ts";
import { listAll } from "../page-list.ts";
import { printList } from "../print-list.ts";
import { isOpen, routerDoor } from "../router-door.ts";
import { nextSteps, type RouterFacts, routerLines } from "../router-lines.ts";
import { routerTable } from "../router-table.ts";
import { routerUrlNotes } from "../router-url-notes.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { named } from "./named.ts";
import { several, wholeNumber } from "./numbers.ts";

export const routersCommand = (terminal: Terminal): Command =>
  new Command("router")
    .alias("routers")
    .description("MikroTik routers: add, list, revoke, rotate")
    .addCommand(addCommand(terminal))
    .addCommand(listCommand(terminal))
    .addCommand(revokeCommand(terminal))
    .addCommand(rotateCommand(terminal));

const most = 1_000_000_000;
const routerId = named("name");

/** Stands between quotes on the router, where a dollar sign or a backslash would mean something. */
const relayUrl = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : null;
  const plain = url?.href.replace(/\/+$/, "") ?? "";
  if (!/^https?:\/\/[A-Za-z0-9._:[\]-]+(\/[A-Za-z0-9._~/-]*)?$/.test(plain)) {
    throw new InvalidArgumentError(
      "It must be the address routers reach the relay at, such as http://192.168.88.10:8899.",
    );
  }
  return plain;
};

const seeList = "`claude-relay router list` shows the routers there are.";

type AddOptions = CommonOptions &
  Readonly<{
    model?: readonly string[];
    rpm?: number;
    user?: string;
    organization?: string;
    relayUrl?: string;
  }>;

const addCommand = (terminal: Terminal): Command =>
  new Command("add")
    .description("add a router; the lines to paste on it, its secret among them, are printed once")
    .argument("<name>", "the router's name, such as office", routerId)
    .option(
      "--model <model>",
      "allow only this model or pattern, such as 'claude-haiku-*'; it must take in CLAUDE_RELAY_ROUTER_MODEL (else DEFAULT_MODEL), which is what routers are answered by; repeatable",
      several,
    )
    .option(
      "--rpm <n>",
      "requests a minute (default: CLAUDE_RELAY_ROUTER_RPM)",
      wholeNumber(1, most),
    )
    .option("--user <id>", "the user it belongs to")
    .option("--organization <id>", "the organization it belongs to")
    .option("--relay-url <url>", "where the router reaches the relay's port 8899", relayUrl)
    .action(async (name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<AddOptions>();
      const client = adminClient(terminal.settings(), options.url);
      const body = await client.call({
        method: "POST",
        path: "/admin/routers",
        body: {
          id: name,
          models: options.model,
          requests_per_minute: options.rpm,
          user_id: options.user,
          organization_id: options.organization,
        },
        remedies: {
          409: `(claude-relay router rotate ${name}; claude-relay router revoke ${name}.)`,
        },
      });
      tell(terminal, client, {
        ...{ id: name, secret: secretOf(body, client) },
        place: placeOf(options.relayUrl) ?? { kind: "unknown" },
      });
      await tellWhetherServed(terminal, client, options.relayUrl);
    });

/** The router itself could only say that nobody answers. */
const tellWhetherServed = async (
  terminal: Terminal,
  client: AdminClient,
  routerUrl: string | undefined,
): Promise<void> => {
  const door = routerDoor(terminal.settings(), client.url, routerUrl);
  if (door !== null && !(await isOpen(door))) {
    terminal.note(
      `Warning: nobody answers routers at ${door.url}. The relay serves them when it runs with CLAUDE_RELAY_ENABLE_CLOUD=true: docs/routers.md.`,
    );
  }
};

const placeOf = (url: string | undefined): RouterFacts["place"] | null =>
  url === undefined ? null : { kind: "known", url };

const tell = (terminal: Terminal, client: AdminClient, router: RouterFacts): void => {
  const { place } = router;
  for (const note of place.kind === "known" ? routerUrlNotes(place.url, client.url) : []) {
    terminal.note(`Warning: ${note}`);
  }
  terminal.note(`Paste these lines on ${router.id}; the secret is shown this once:`);
  for (const line of routerLines(router)) {
    terminal.print(line);
  }
  for (const line of nextSteps) {
    terminal.note(line);
  }
};

const secretOf = (body: Record<string, unknown>, client: AdminClient): string =>
  newSecret(body, client, /^crr_[A-Za-z0-9_-]{43}$/, "secret");

const listCommand = (terminal: Terminal): Command =>
  new Command("list")
    .description("every router, newest first; secrets are not stored and not shown")
    .option("--json", "as JSON")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { json?: boolean }>();
      const client = adminClient(terminal.settings(), options.url);
      const routers = await listAll<KnownRouter>(client, "/admin/routers", "routers");
      const hint = "No routers yet. Add one: claude-relay router add office";
      printList(terminal, routers, { json: options.json, table: routerTable, hint });
    });

const revokeCommand = (terminal: Terminal): Command =>
  new Command("revoke")
    .description("refuse a router at once, whatever it signs with")
    .argument("<name>", "the router's name", routerId)
    .action(async (name: string, _: unknown, command: Command) => {
      const { url } = command.optsWithGlobals<CommonOptions>();
      await adminClient(terminal.settings(), url).call({
        method: "DELETE",
        path: `/admin/routers/${encodeURIComponent(name)}`,
        remedies: { 404: seeList },
      });
      terminal.note(`Revoked ${name}: it is refused from now on.`);
    });

type RotateOptions = CommonOptions & Readonly<{ relayUrl?: string }>;

const rotateCommand = (terminal: Terminal): Command =>
  new Command("rotate")
    .description("give a router a new secret, printed once; the old one ends at once")
    .argument("<name>", "the router's name", routerId)
    .option("--relay-url <url>", "where the router reaches the relay's port 8899", relayUrl)
    .action(async (name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<RotateOptions>();
      const client = adminClient(terminal.settings(), options.url);
      const body = await client.call({
        method: "POST",
        path: `/admin/routers/${encodeURIComponent(name)}/rotate`,
        remedies: { 404: seeList, 409: `(A revoked one: claude-relay router add ${name}.)` },
      });
      tell(terminal, client, {
        ...{ id: name, secret: secretOf(body, client) },
        place: placeOf(options.relayUrl) ?? { kind: "kept" },
      });
    });
