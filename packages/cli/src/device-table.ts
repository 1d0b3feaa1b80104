import type { Device } from "@claude-relay/contract";
import { count, list, moment, text } from "./cells.ts";
import { idInCell, inOneCell } from "./device-words.ts";
import { printable } from "./fault.ts";
import { table } from "./table.ts";

const headings = [
  "DEVICE",
  "NAME",
  "STATUS",
  "FINGERPRINT",
  "APP VERSION",
  "OWNER",
  "FIRST SEEN",
  "LAST BOOTSTRAP",
];

/** The devices as lines of a table, those that wait for an approval first. Times are UTC. */
export const deviceTable = (devices: readonly Device[]): string[] =>
  table(
    headings,
    waitingFirst(devices).map((device) => [
      idInCell(device.id),
      cell(device.label),
      statusOf(device),
      text(fingerprintOf(device)),
      cell(device.app_version),
      ownerOf(device),
      moment(device.created_at),
      moment(device.last_bootstrap_at),
    ]),
  );

/** Those that wait first, each group as it came. */
export const waitingFirst = (devices: readonly Device[]): readonly Device[] =>
  devices.toSorted((a, b) => Number(b.waiting_for_approval) - Number(a.waiting_for_approval));

/** All there is to know about one device, a line each. */
export const deviceLines = (device: Device): string[] => {
  const waits = device.waiting_key_fingerprint;
  const facts: readonly (readonly [string, string])[] = [
    ["device", idInCell(device.id)],
    ["name", text(device.label)],
    ["status", statusOf(device)],
    ["fingerprint", text(device.device_key_fingerprint)],
    ...(waits === null ? [] : [["asks with another key", printable(waits)] as const]),
    ["app version", text(device.app_version)],
    ["user", text(device.user_id)],
    ["organization", text(device.organization_id)],
    ["requests a minute", count(device.requests_per_minute)],
    ["models", list(device.models)],
    ["first seen", moment(device.created_at)],
    ["approved", moment(device.approved_at)],
    ["last bootstrap", moment(device.last_bootstrap_at)],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
};

/** The key that an approval, now, would be given to; null for a device without one. */
export const fingerprintOf = (device: Device): string | null =>
  device.waiting_key_fingerprint ?? device.device_key_fingerprint;

/** What the device says of itself. */
const cell = (said: string | null): string => (said === null ? text(null) : inOneCell(said));

const statusOf = ({ status, waiting_for_approval: waits }: Device): string =>
  waits ? "waiting" : printable(status);

const ownerOf = ({ user_id: user, organization_id: organization }: Device): string =>
  [user, organization]
    .filter((one) => one !== null)
    .map(printable)
    .join(", ") || "-";
