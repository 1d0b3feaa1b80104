import type { Device } from "@claude-relay/contract";
import { type AdminClient, Refused } from "./admin-client.ts";
import { personIsThere, saysYes } from "./ask-person.ts";
import { deviceName, idInCell } from "./device-words.ts";
import { Fault, printable } from "./fault.ts";
import { isObject } from "./json-object.ts";
import { ownName } from "./own-name.ts";
import { listAll } from "./page-list.ts";

/** A whole id has at least so many characters: nothing shorter can be one. */
const shortestId = 8;
const shortestBeginning = 4;
/** A UUID, whole. */
const tooLongToShorten = 36;

/**
 * The device that a person names: by its whole id, or by 4 characters or more that it alone begins with. Devices
 * name themselves, and one could call itself what another's id begins with: so a beginning as long as an id is not
 * simply taken.
 * @param longBeginning `ask` the person whether that one is meant; `take` it where the caller makes sure of that
 * @throws Fault when there is none, or more than one
 */
export const findDevice = async (
  client: AdminClient,
  named: string,
  longBeginning: "ask" | "take" = "ask",
): Promise<Device> => {
  if (named.length >= shortestId) {
    const exact = await byId(client, named);
    if (exact !== null) {
      await demandNoneElse(client, exact);
      return exact;
    }
    const device = await byLongBeginning(client, named);
    if (longBeginning === "ask") {
      await demandMeant(device, named);
    }
    return device;
  }
  const found = named.length < shortestBeginning ? [] : await beginningWith(client, named);
  const [device, ...others] = found;
  if (device === undefined) {
    throw new Fault(
      `No device's id begins with ${quotedName(named)}. ${seeList()} Name one by its whole id or its first 4 characters or more.`,
    );
  }
  if (others.length > 0) {
    throw several(named, found);
  }
  return device;
};

/** The device in an answer. @throws Fault when it is none */
export const deviceIn = (body: Record<string, unknown>, { url }: AdminClient): Device => {
  if (!isObject(body) || typeof body["id"] !== "string" || typeof body["status"] !== "string") {
    throw new Fault(
      `The relay at ${url} answered without a device: its version does not fit this one.`,
    );
  }
  return body as Device;
};

/** The device's own path in the admin API. */
export const pathOf = ({ id }: Pick<Device, "id">): string =>
  `/admin/devices/${encodeURIComponent(id)}`;

const byId = async (client: AdminClient, id: string): Promise<Device | null> => {
  try {
    return deviceIn(await client.call({ method: "GET", path: pathOf({ id }) }), client);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) {
      throw error;
    }
    return null;
  }
};

const byLongBeginning = async (client: AdminClient, named: string): Promise<Device> => {
  const found = await beginningWith(client, named);
  const [device, ...others] = found;
  if (device === undefined) {
    throw new Fault(`No device has the id ${quotedName(named)}. ${seeList()}`);
  }
  if (others.length > 0) {
    throw several(named, found);
  }
  return device;
};

/**
 * A person may have meant the beginning of another's id, which this one took for its own.
 * @throws Fault unless they say that it is meant; a script names whole ids
 */
const demandNoneElse = async (client: AdminClient, { id, label }: Device): Promise<void> => {
  if (!personIsThere() || id.length >= tooLongToShorten) {
    return;
  }
  const other = (await beginningWith(client, id)).find((one) => one.id !== id);
  if (other !== undefined) {
    const question = `${idInCell(id)} is a whole id, and ${deviceName(other)} begins so too. Do you mean ${deviceName({ id, label })}?`;
    if (!(await saysYes(question))) {
      throw new Fault(`Nothing was done. The other one's whole id: ${idInCell(other.id)}`);
    }
  }
};

/** @throws Fault unless a person says that this one is meant */
const demandMeant = async (device: Device, named: string): Promise<void> => {
  const none = `No device has the id ${quotedName(named)}`;
  if (!personIsThere()) {
    throw new Fault(
      `${none}, but one's begins so: ${idInCell(device.id)}. Name the whole id: devices name themselves, and from 8 characters on a beginning could be another's id.`,
    );
  }
  if (!(await saysYes(`${none}. Do you mean ${deviceName(device)}?`))) {
    throw new Fault(`Nothing was done. ${seeList()}`);
  }
};

const several = (named: string, found: readonly Device[]): Fault =>
  new Fault(
    `${found.length} devices' ids begin with ${quotedName(named)}: ${found.map(({ id }) => idInCell(id)).join(", ")}. Name the whole id.`,
  );

const beginningWith = async (client: AdminClient, text: string): Promise<readonly Device[]> =>
  (await listAll<Device>(client, "/admin/devices", "devices")).filter(({ id }) =>
    id.startsWith(text),
  );

const quotedName = (text: string): string => `"${printable(text)}"`;

const seeList = (): string => `\`${ownName()} devices list\` shows the devices there are.`;
