/** Whether a relay only simulates Claude: asked without any credential, and of no consequence when it fails. */
import { beginningOf, healthIn } from "./relay-answer.ts";

const longestMs = 10_000;

/** Null where nobody says. */
export const isSimulated = async (relayUrl: string): Promise<boolean | null> => {
  try {
    const signal = AbortSignal.timeout(longestMs);
    const response = await fetch(`${relayUrl}/health`, { redirect: "manual", signal });
    const upstream = healthIn(await beginningOf(response))?.["upstream"];
    return typeof upstream === "string" ? upstream === "simulator" : null;
  } catch {
    return null;
  }
};
