/** Whether somebody signed in to a gateway at Claude Code's own `/login`: that comes before its settings. */
import { dirname, join } from "node:path";
import { isObject, parseObject } from "../json-object.ts";
import { readIfThere } from "../settings.ts";

/**
 * The gateway's address; null when there is no such sign-in, or none that can be seen: on macOS it is in the
 * Keychain, under Claude Code's own name.
 * @param settings Claude Code's settings file; its sign-ins are beside it
 */
export const gatewaySignIn = (settings: string): string | null => {
  const kept = parseObject(credentialsBeside(settings) ?? "")?.["enterpriseGateway"];
  const url = isObject(kept) ? kept["url"] : undefined;
  return typeof url === "string" ? url : null;
};

/** Not ours, and only looked at: one that cannot be read says nothing. */
const credentialsBeside = (settings: string): string | null => {
  try {
    return readIfThere(join(dirname(settings), ".credentials.json"));
  } catch {
    return null;
  }
};
