/** The relay's address as a person typed or pasted it, or as the environment fixes it. */
import {
  isPrivateHost,
  type RelayAddress,
  RelayConfigurationError,
  relayAddressFrom,
} from "@claude-relay/client/device";
import { CallError } from "../../bridge/call-error.ts";

export type RelayChoice = Readonly<{ address: RelayAddress; code: string | undefined }>;

/**
 * What the user entered. The scheme may be left out; an operator's link may hold the code behind `#code=`,
 * where no server sees it.
 * @throws CallError `invalid_params` that says what to enter instead
 */
export const relayChoiceOf = (entered: string, enteredCode: string | undefined): RelayChoice => {
  const [text = "", fragment = ""] = entered.trim().split("#", 2);
  const code = (enteredCode ?? "").trim() || new URLSearchParams(fragment).get("code")?.trim();
  try {
    const address = relayAddressFrom({ relayUrl: withScheme(text), environment: {} });
    return { address, code: code || undefined };
  } catch (error) {
    throw error instanceof RelayConfigurationError ? unfit(error) : error;
  }
};

const unfit = ({ message }: RelayConfigurationError): CallError =>
  new CallError({ code: "invalid_params", message: message.replace(/^relayUrl\b/, "The address") });

/** Without a scheme https is meant, but for this machine. */
const withScheme = (text: string): string => {
  if (text === "" || /^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return text;
  }
  const secure = `https://${text}`;
  const isHere = URL.canParse(secure) && isThisMachine(new URL(secure).hostname);
  return isHere ? `http://${text}` : secure;
};

const isThisMachine = (hostname: string): boolean =>
  /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname) && isPrivateHost(hostname);
