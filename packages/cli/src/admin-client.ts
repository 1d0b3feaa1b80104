import { adminTokenFor } from "./admin-token.ts";
import { Fault, printable } from "./fault.ts";
import { isObject, parseObject } from "./json-object.ts";
import { relayAddress } from "./relay-address.ts";
import { askRelay, type RelayAnswer, type RelayRequest } from "./relay-request.ts";
import type { Settings } from "./settings.ts";

type AdminCall = Pick<RelayRequest, "method" | "path" | "body" | "timeoutMs"> &
  Readonly<{
    /** What to do when the relay refuses with this status; its own words come before it. */
    remedies?: Readonly<Record<number, string>>;
  }>;

export type AdminClient = Readonly<{
  /** The address it speaks to. */
  url: string;
  /** The parsed answer of a call that went well. @throws Fault with the relay's words and the remedy */
  call(call: AdminCall): Promise<Record<string, unknown>>;
}>;

/** The relay said no, in its own words. */
export class Refused extends Fault {
  /** The HTTP status it said it with. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** The admin API of the relay that `--url` and the settings name. @throws Fault when there is no token for it */
export const adminClient = (settings: Settings, url: string | undefined): AdminClient => {
  const address = relayAddress(settings, url);
  const token = adminTokenFor(settings, address);
  return {
    url: address.url,
    call: async ({ remedies, ...asked }) => {
      const answer = await askRelay(address, { ...asked, token: token.value });
      const body = parseObject(answer.text);
      if (answer.status >= 200 && answer.status < 300 && body !== null) {
        return body;
      }
      throw refused(answer, body, { url: address.url, tokenFrom: token.from, remedies });
    },
  };
};

type Circumstances = Readonly<{
  url: string;
  tokenFrom: string;
  remedies: AdminCall["remedies"];
}>;

const refused = (
  { status, location, retryAfter }: RelayAnswer,
  body: Record<string, unknown> | null,
  { url, tokenFrom, remedies }: Circumstances,
): Fault => {
  if (status >= 300 && status < 400) {
    return new Fault(
      `${url} sends callers on to ${printable(location ?? "another address")}. That is not followed: name the relay's own address with --url.`,
    );
  }
  if (status === 401 || status === 403) {
    return new Fault(
      `The relay at ${url} does not accept the admin token from ${tokenFrom}: set ADMIN_TOKEN to the one it was started with.`,
    );
  }
  const words = spokenBy(body);
  if (words === null) {
    return new Fault(
      `What answers at ${url} (status ${status}) is not claude-relay: check the address (--url, CLAUDE_RELAY_URL, PORT).`,
    );
  }
  const remedy = remedies?.[status];
  const saysSo = /\b(try again|retry)\b/i.test(words);
  const wait =
    retryAfter === undefined || saysSo ? "" : ` Try again in ${printable(retryAfter)} s.`;
  return new Refused(`${words}${remedy === undefined ? "" : ` ${remedy}`}${wait}`, status);
};

/** The message of an error in Anthropic's shape. */
const spokenBy = (body: Record<string, unknown> | null): string | null => {
  const error = body?.["error"];
  const message = isObject(error) ? error["message"] : undefined;
  return typeof message === "string" ? printable(message) : null;
};
