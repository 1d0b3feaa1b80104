/** Links go to the system's browser or mail program: only after a look at them, and never through a shell. */
import { spawn } from "node:child_process";
import { CallError } from "../bridge/call-error.ts";

/** The program that opens an address on each system, and what comes before the address. */
const openers: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  // `start` is a word of the command interpreter; this is what it calls.
  win32: ["rundll32.exe", "url.dll,FileProtocolHandler"],
};
const otherwise = ["xdg-open"] as const;

/** Some openers stay as long as the browser they started: silence for so long is success. */
const longestMs = 3_000;

/** More at once no person asks for, and each is a program of its own. */
const mostAtOnce = 4;

/** Opens links, a few at a time. The function it gives throws CallError: `busy`, or as `open` does. */
export const createLinkOpener = (
  open: (url: string) => Promise<void> = (url) => openLink(url),
): ((url: string) => Promise<void>) => {
  let opening = 0;
  return async (url) => {
    if (opening >= mostAtOnce) {
      const message = "Several links are being opened. Try again in a moment.";
      throw new CallError({ code: "busy", message });
    }
    opening += 1;
    try {
      await open(url);
    } finally {
      opening -= 1;
    }
  };
};

/**
 * Opens a web address or a mail address.
 * @throws CallError when it is neither, or nothing on this machine opens it
 */
export const openLink = async (
  text: string,
  platform: string = process.platform,
): Promise<void> => {
  const href = safeLink(text);
  const [program, ...rest] = openers[platform] ?? otherwise;
  const failed = (why: string): CallError =>
    new CallError({ code: "failed", message: `The link could not be opened: ${why}.` });
  const child = spawn(program, [...rest, href], { stdio: "ignore", detached: true, shell: false });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, longestMs);
    child.once("error", () => {
      clearTimeout(timer);
      reject(failed(`${program} is not installed or cannot be started`));
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      if (code === 0) {
        resolve();
      } else {
        reject(failed(`${program} says that nothing opens it here`));
      }
    });
  });
  child.unref();
};

/**
 * The link as it is handed on. http, https and mailto only: other schemes start programs. No user name, which
 * makes one site's address look like another's, and no attachment, which would send off a file.
 * @throws CallError `invalid_params`
 */
export const safeLink = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:", "mailto:"].includes(url.protocol)) {
    throw refused("Only web and mail addresses are opened.");
  }
  if (url.username || url.password) {
    throw refused("This link hides where it leads behind a user name. It is not opened.");
  }
  const names = [...url.searchParams.keys()].map((name) => name.toLowerCase());
  if (url.protocol === "mailto:" && names.some((name) => name.startsWith("attach"))) {
    throw refused("This link would attach a file to a mail. It is not opened.");
  }
  return url.href;
};

const refused = (message: string): CallError => new CallError({ code: "invalid_params", message });
