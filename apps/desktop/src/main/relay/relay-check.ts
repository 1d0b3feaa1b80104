/** Whether a claude-relay answers at an address: asked before the address is taken, without any credential. */
import type { RelayAddress } from "@claude-relay/client/device";
import { CallError } from "../../bridge/call-error.ts";
import { beginningOf, healthIn } from "./relay-answer.ts";

const longestMs = 10_000;

/** @throws CallError `failed`, which says what answers there instead and what to do */
export const demandRelay = async (
  { relayUrl }: RelayAddress,
  signal: AbortSignal,
): Promise<void> => {
  const answer = await get(`${relayUrl}/healthz`, relayUrl, signal);
  const { status } = answer;
  if (status >= 300 && status < 400) {
    throw fault(
      `${relayUrl} sends callers on to another address, which is not followed. Enter the relay's own address.`,
    );
  }
  if (status >= 500) {
    throw fault(
      `${relayUrl} answers that it is not well (status ${status}). Is the relay running behind its proxy or tunnel? Try again in a moment.`,
    );
  }
  if (status !== 200 || !isHealth(answer.text)) {
    throw fault(
      `What answers at ${relayUrl} (status ${status}) is not a claude-relay. Check the address with the relay's operator.`,
    );
  }
};

type Answer = Readonly<{ status: number; text: string }>;

const get = async (url: string, relayUrl: string, signal: AbortSignal): Promise<Answer> => {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(longestMs)]);
  try {
    const response = await fetch(url, { redirect: "manual", signal: limit });
    return { status: response.status, text: await beginningOf(response) };
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) {
      throw fault(
        `${relayUrl} did not answer within ${longestMs / 1000} seconds. Check the address and your network.`,
      );
    }
    const code = codeOf(error);
    if (/CERT|SIGN|TLS|SSL/.test(code)) {
      throw fault(
        `${relayUrl} shows a certificate that is not to be trusted${code}. Check the address with the relay's operator.`,
      );
    }
    throw fault(
      `No connection to ${relayUrl}${code}. Check the address and your network, and that the relay runs.`,
    );
  }
};

const isHealth = (text: string): boolean => healthIn(text)?.["timestamp"] !== undefined;

/** Node puts the system's error into `cause`. */
const codeOf = (error: unknown): string => {
  const { cause } = (error ?? {}) as { cause?: { code?: unknown } };
  return typeof cause?.code === "string" ? ` (${cause.code})` : "";
};

const fault = (message: string): CallError => new CallError({ code: "failed", message });
