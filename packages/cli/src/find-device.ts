import type { Device } from "@claude-relay/contract";
import { type AdminClient, Refused } from "./admin-client.ts";
import { idInCell } from "./device-words.ts";
import { Fault, printable } from "./fault.ts";
import { isObject } from "./json-object.ts";
import { ownName } from "./own-name.ts";
import { listAll } from "./page-list.ts";

/** A whole id has at least so many characters: nothing shorter can be one. */
const shortestId = 8;
const shortestBeginning = 4;

/**
 * The device that a person names: by its whole id, or by its first 4 to 7 characters. Longer beginnings are not
 * taken: devices name themselves, and one could call itself what another's id begins with.
 * @throws Fault when there is none, or more than one
 */
export const findDevice = async (client: AdminClient, named: string): Promise<Device> => {
  if (named.length >= shortestId) {
    return await byId(client, named);
  }
  const found = named.length < shortestBeginning ? [] : await beginningWith(client, named);
  const [device, ...others] = found;
  if (device === undefined) {
    throw new Fault(
      `No device's id begins with ${quotedName(named)}. ${seeList()} Name one by its whole id or its first 4 to 7 characters.`,
    );
  }
  if (others.length > 0) {
    throw new Fault(
      `${found.length} devices' ids begin with ${quotedName(named)}: ${found.map(({ id }) => idInCell(id)).join(", ")}. Name the whole id.`,
    );
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

const byId = async (client: AdminClient, id: string): Promise<Device> => {
  try {
    return deviceIn(await client.call({ method: "GET", path: pathOf({ id }) }), client);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) {
      throw error;
    }
    const [similar] = await beginningWith(client, id);
    throw new Fault(
      similar === undefined
        ? `No device has the id ${quotedName(id)}. ${seeList()}`
        : `No device has the id ${quotedName(id)}, but one's begins so: ${idInCell(similar.id)}. Name the whole id.`,
    );
  }
};

const beginningWith = async (client: AdminClient, text: string): Promise<readonly Device[]> =>
  (await listAll<Device>(client, "/admin/devices", "devices")).filter(({ id }) =>
    id.startsWith(text),
  );

const quotedName = (text: string): string => `"${printable(text)}"`;

const seeList = (): string => `\`${ownName()} devices list\` shows the devices there are.`;
