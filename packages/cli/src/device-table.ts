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

/** The devices as lines of a table, each with its own key, those that wait for an approval first. Times are UTC. */
export const deviceTable = (devices: readonly Device[]): string[] =>
  table(
    headings,
    waitingFirst(devices).map((device) => [
      idInCell(device.id),
      cell(device.label),
      statusOf(device),
      text(device.device_key_fingerprint),
      cell(device.app_version),
      ownerOf(device),
      moment(device.created_at),
      moment(device.last_bootstrap_at),
    ]),
  );

/** Those that wait first, then those that are not approved, each group as it came. */
export const waitingFirst = (devices: readonly Device[]): readonly Device[] =>
  devices.toSorted((a, b) => rankOf(a) - rankOf(b));

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

/**
 * What an approval would do, where one is due: let a newcomer in; hand the device over to another key that asks
 * under its id; or confirm one that is active without it, and whose token works until it expires.
 */
export const approvalOf = (device: Device): "newcomer" | "other_key" | "not_approved" | null => {
  if (!device.waiting_for_approval) {
    return null;
  }
  if (device.status === "pending") {
    return "newcomer";
  }
  return device.waiting_key_fingerprint === null ? "not_approved" : "other_key";
};

/** What the device says of itself. */
const cell = (said: string | null): string => (said === null ? text(null) : inOneCell(said));

const rankOf = (device: Device): number =>
  ["newcomer", "other_key", "not_approved", null].indexOf(approvalOf(device));

const statusOf = (device: Device): string => {
  const status = printable(device.status);
  switch (approvalOf(device)) {
    case "newcomer":
      return "waiting";
    case "other_key":
      return `${status}; another key asks`;
    case "not_approved":
      return `${status}, not approved`;
    case null:
      return status;
  }
};

const ownerOf = ({ user_id: user, organization_id: organization }: Device): string =>
  [user, organization]
    .filter((one) => one !== null)
    .map(printable)
    .join(", ") || "-";
