import { RelayError } from "@claude-relay/client/device";
import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { CallError } from "../../bridge/call-error.ts";
import { printable } from "../printable.ts";
import type { CurrentRelay, RelayAccess } from "../relay/relay-access.ts";
import { ErrorAnswer } from "./relay-answers.ts";

const longestMs = 20_000;
const largestBytes = 4 << 20;

/** An answer of status 400 or above. */
export class RelayAnswerError extends CallError {
  readonly status: number;

  constructor(status: number, message: string) {
    super({ code: "failed", message });
    this.status = status;
  }
}

/** Reads a value from a path of the relay's. */
export type ReadRelay = <Schema extends TSchema>(
  path: string,
  schema: Schema,
) => Promise<Static<Schema>>;

/**
 * Asks the relay with this device's token; one that it no longer takes is replaced, once.
 * What it throws is a CallError: `not_connected` without a relay, `failed` with words for a person.
 * @param onUnreachable told when no connection came about
 */
export const createRelayReader =
  (relay: CurrentRelay, onUnreachable: () => void): ReadRelay =>
  async (path, schema) => {
    const access = relay();
    if (access === null) {
      const message = "This device is not connected to a relay.";
      throw new CallError({ code: "not_connected", message });
    }
    try {
      const answer = await ask(access, path);
      if (!Value.Check(schema, answer)) {
        throw failed("The relay answered in a way this app does not understand.");
      }
      return answer;
    } catch (error) {
      if (error instanceof CallError) {
        throw error;
      }
      if (error instanceof RelayError) {
        throw failed(printable(error.message));
      }
      onUnreachable();
      throw failed("The relay cannot be reached.");
    }
  };

const ask = async (access: RelayAccess, path: string): Promise<unknown> => {
  const signal = AbortSignal.timeout(longestMs);
  for (let attempt = 1; ; attempt += 1) {
    const token = await access.token(signal);
    const response = await fetch(`${access.relayUrl}${path}`, {
      headers: { authorization: `Bearer ${token}`, "anthropic-version": "2023-06-01" },
      redirect: "error",
      signal,
    });
    const body = jsonOf(await textOf(response));
    if (response.ok) {
      return body;
    }
    const isRefused = response.status === 401 && !response.headers.has("x-relay-upstream");
    if (isRefused) {
      access.reject(token);
    }
    if (!isRefused || attempt === 2) {
      throw new RelayAnswerError(response.status, wordsOf(response.status, body, token));
    }
  }
};

/** @throws CallError for an answer that is larger than any of a relay's */
const textOf = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > largestBytes) {
      throw failed("The relay's answer is larger than it can be.");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const wordsOf = (status: number, body: unknown, token: string): string =>
  Value.Check(ErrorAnswer, body)
    ? printable(body.error.message.replaceAll(token, "[token]"))
    : `The relay's address answered ${status} without saying why.`;

const failed = (message: string): CallError => new CallError({ code: "failed", message });
