import { asciiJson } from "../pipeline/json/ascii-json.ts";
import type { RouterAnswer } from "../pipeline/router-ports.ts";
import type { Session } from "./session-book.ts";
import { signResponse } from "./signing.ts";

/**
 * The reply to one request. Sealed, the router believes `payload` alone, which holds the whole answer; `success`,
 * `code` and `error` stand outside for people and logs. Without a key the answer goes out as it is.
 */
export const sealAnswer = (
  session: Pick<Session, "id" | "signed">,
  sequence: string,
  answer: RouterAnswer,
): string => {
  const payload = asciiJson(answer);
  if (session.signed === null) {
    return payload;
  }
  const { mac, key } = session.signed;
  const { success, code, error } = answer;
  return asciiJson({
    success,
    ...(typeof code === "string" && { code }),
    ...(typeof error === "string" && { error }),
    payload,
    mac: signResponse(mac, key, { session: session.id, sequence, payload }),
  });
};
