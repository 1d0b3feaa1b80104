/** `claude-relay codes`: enrollment codes, which let new devices in, over the relay's admin API. */
import type { EnrollmentCode } from "@claude-relay/contract";
import { Command } from "commander";
import { type AdminClient, adminClient } from "../admin-client.ts";
import { codeTable } from "../code-table.ts";
import { addressForDevices, enrollmentLink } from "../enrollment-link.ts";
import { Fault, printable } from "../fault.ts";
import { ownName } from "../own-name.ts";
import { listAll } from "../page-list.ts";
import { printList } from "../print-list.ts";
import { isTooNarrow, qrLines, qrWidth } from "../qr-lines.ts";
import { relayAddress } from "../relay-address.ts";
import { shownJson } from "../shown-json.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { sayHowToAddUser } from "../unknown-user.ts";
import { hours } from "./duration.ts";
import { several, wholeNumber } from "./numbers.ts";

export const codesCommand = (terminal: Terminal): Command =>
  new Command("codes")
    .alias("code")
    .description("enrollment codes, which let new devices in: add, list, revoke")
    .addCommand(listCommand(terminal), { isDefault: true })
    .addCommand(addCommand(terminal))
    .addCommand(revokeCommand(terminal));

type AddOptions = CommonOptions &
  Readonly<{
    uses?: number;
    expires?: number;
    label?: string;
    user?: string;
    organization?: string;
    model?: readonly string[];
    rpm?: number;
    qr?: boolean;
    relayUrl?: string;
    json?: boolean;
  }>;

const addCommand = (terminal: Terminal): Command =>
  new Command("add")
    .description("make a code; it is printed once, alone on standard output")
    .option("--uses <n>", "how many devices it lets in (default: 1)", wholeNumber(1, 100_000))
    .option("--expires <time>", "how long it works, such as 30m or 7d (default: 24h)", hours)
    .option("--label <name>", "what it is for, as lists show it")
    .option("--user <id>", "the user its devices belong to")
    .option("--organization <id>", "the organization its devices belong to")
    .option(
      "--model <model>",
      "its devices may use only this model or pattern; repeatable",
      several,
    )
    .option("--rpm <n>", "requests a minute of each of its devices", wholeNumber(1, 1_000_000_000))
    .option("--relay-url <url>", "where devices reach the relay (default: its PROXY_BASE_URL)")
    .option("--qr", "show the link as a QR code too")
    .option("--json", "code, link and all else as JSON")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<AddOptions>();
      const settings = terminal.settings();
      const administered = relayAddress(settings, options.url);
      // Before a code is made: one that nobody sees would stay good.
      const address = addressForDevices(settings, administered, options.relayUrl);
      const made = await mint(terminal, options);
      const link = enrollmentLink(address, made.enrollment_code);
      if (options.json) {
        terminal.print(shownJson({ ...made, link }));
        return;
      }
      tell(terminal, made, link);
      if (address.loopback) {
        terminal.note(
          "The link leads to this machine. For others, say where they reach the relay: --relay-url https://…, or PROXY_BASE_URL in its settings.",
        );
      }
      if (options.qr) {
        qrCode(terminal, link);
      }
    });

type MadeCode = EnrollmentCode & Readonly<{ enrollment_code: string }>;

const mint = async (terminal: Terminal, options: AddOptions): Promise<MadeCode> => {
  const client = adminClient(terminal.settings(), options.url);
  const asked = client.call({
    method: "POST",
    path: "/admin/enrollment-codes",
    body: {
      label: options.label,
      max_uses: options.uses,
      expires_in_hours: options.expires,
      user_id: options.user,
      organization_id: options.organization,
      models: options.model,
      requests_per_minute: options.rpm,
    },
  });
  const body = await asked.catch(sayHowToAddUser(options.user));
  const { enrollment_code: code, expires_at: expires } = body;
  // Nothing else is printed as one.
  if (typeof code !== "string" || !/^[\w-]{8,128}$/.test(code) || typeof expires !== "string") {
    throw new Fault(
      `The relay at ${client.url} answered without a code: its version does not fit this one.`,
    );
  }
  return body as unknown as MadeCode;
};

const tell = (terminal: Terminal, made: MadeCode, link: string): void => {
  const times = made.max_uses === 1 ? "once" : `${made.max_uses} times`;
  terminal.note(
    `The code, shown this once; it works ${times} until ${printable(made.expires_at)}:`,
  );
  terminal.print(made.enrollment_code);
  terminal.note(`The same as a link, which lets in whoever has it: ${link}`);
  terminal.note(`On the machine that is to be a device: claude-relay connect "${link}"`);
  terminal.note(
    "If claude-relay is not there yet: docs/claude-code.md in this project says how to get it.",
  );
};

const qrCode = (terminal: Terminal, link: string): void => {
  const { isTTY, columns } = process.stderr;
  const width = qrWidth(link);
  if (width === null) {
    terminal.note("The link is too long for a QR code.");
    return;
  }
  if (isTTY && isTooNarrow(columns, width)) {
    terminal.note(`The QR code needs ${width} columns, and this terminal has ${columns}.`);
    return;
  }
  // Asked of Node, which knows NO_COLOR, TERM=dumb and their like.
  const colours = isTTY === true && process.stderr.hasColors(256);
  qrLines(link, { colours }).forEach(terminal.note);
};

const listCommand = (terminal: Terminal): Command =>
  new Command("list")
    .description("every code, newest first; the codes themselves are not kept and not shown")
    .option("--json", "as JSON")
    .action(async (_: unknown, command: Command) => {
      const { url, json } = command.optsWithGlobals<CommonOptions & { json?: boolean }>();
      const client = adminClient(terminal.settings(), url);
      const codes = await listAll<EnrollmentCode>(client, "/admin/enrollment-codes", "codes");
      printList(terminal, codes, {
        json,
        table: (rows) => codeTable(rows, Date.now()),
        hint: `No codes yet. Make one: ${ownName()} codes add`,
      });
    });

const revokeCommand = (terminal: Terminal): Command =>
  new Command("revoke")
    .description("end a code at once; devices that it let in stay")
    .argument("<id>", "the code's id as the list shows it, or enough of its beginning")
    .action(async (named: string, _: unknown, command: Command) => {
      const { url } = command.optsWithGlobals<CommonOptions>();
      const client = adminClient(terminal.settings(), url);
      const id = await wholeId(client, named);
      await client.call({
        method: "DELETE",
        path: `/admin/enrollment-codes/${encodeURIComponent(id)}`,
        remedies: { 404: seeList() },
      });
      terminal.note(
        `Revoked ${printable(id)}: it lets nobody in any more. Who came in with it stays: ${ownName()} devices list`,
      );
    });

/** The relay makes these ids, all of one length: a beginning means whom it fits. */
const wholeId = async (client: AdminClient, named: string): Promise<string> => {
  if (/^enr_[0-9a-f]{32}$/.test(named)) {
    return named;
  }
  const beginning = named.startsWith("enr_") ? named : `enr_${named}`;
  const codes = await listAll<EnrollmentCode>(client, "/admin/enrollment-codes", "codes");
  const found = codes.filter(({ id }) => id.startsWith(beginning));
  const [code, ...others] = beginning.length < "enr_1234".length ? [] : found;
  if (code === undefined || others.length > 0) {
    throw new Fault(
      others.length > 0
        ? `${found.length} codes' ids begin with ${printable(beginning)}: name more of it.`
        : `No code's id begins with "${printable(named)}". ${seeList()} At least 4 of its digits are needed.`,
    );
  }
  return code.id;
};

const seeList = (): string => `\`${ownName()} codes list\` shows the codes there are.`;
