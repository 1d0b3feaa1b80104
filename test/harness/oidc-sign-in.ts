/** A person's browser on the way over an OpenID provider, by wire: two cookies, one page, one link. */
import type { Answer } from "./inside.ts";
import { signInThere } from "./oidc-provider.ts";
import type { OidcRelay } from "./oidc-relay.ts";
import { type Begun, begin, type Callable, poll, postForm, type Tokens } from "./sign-in.ts";

type Fields = Readonly<Record<string, string>>;
type Headers = Readonly<Record<string, string>>;

export type ProviderBrowser = Readonly<{
  relay: Callable;
  jar: Map<string, string>;
  /** The last page. */
  page(): Answer;
  /** Goes to a path of the relay with its cookies, and keeps those it is given. */
  go(path: string, headers?: Headers): Promise<Answer>;
  /** Sends the form of the last page, with whatever it hides. */
  send(fields: Fields, headers?: Headers): Promise<Answer>;
}>;

const unescaped = (text: string): string => text.replaceAll("&amp;", "&").replaceAll("&quot;", '"');

const hiddenIn = (text: string): Fields =>
  Object.fromEntries(
    [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(
      ([, name = "", value = ""]) => [name, unescaped(value)],
    ),
  );

export const openBrowser = (
  relay: ProviderBrowser["relay"],
  more: Headers = {},
): ProviderBrowser => {
  const jar = new Map<string, string>();
  let last: Answer | null = null;
  const cookie = (): string => [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const keep = (answer: Answer): Answer => {
    for (const set of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (value === "") {
        jar.delete(name);
      } else {
        jar.set(name, value);
      }
    }
    last = answer;
    return answer;
  };
  const page = (): Answer => {
    if (last === null) {
      throw new Error("no page is open");
    }
    return last;
  };
  return {
    relay,
    jar,
    page,
    go: async (path, headers = {}) =>
      keep(await relay.call(path, { headers: { cookie: cookie(), ...more, ...headers } })),
    send: async (fields, headers = {}) => {
      const form = { ...hiddenIn(page().text), ...fields };
      return keep(
        await postForm(relay, "/device", form, { cookie: cookie(), ...more, ...headers }),
      );
    },
  };
};

/** A browser that shows who asks, with the link to the provider. */
export const openProviderPage = async (
  relay: ProviderBrowser["relay"],
  begun: Begun,
  headers: Headers = {},
): Promise<ProviderBrowser> => {
  const browser = openBrowser(relay, headers);
  await browser.go("/device");
  await browser.send({ action: "find", user_code: begun.user_code });
  return browser;
};

/** The link of the page to the provider, as a path. */
export const linkIn = ({ text }: Answer): string => {
  const [, href] = /<a class="button" href="([^"]*)">/.exec(text) ?? [];
  if (href === undefined) {
    throw new Error(`no link to a provider: ${text}`);
  }
  return unescaped(href);
};

/** Follows it; gives where the provider is asked. */
export const leaveFor = async (browser: ProviderBrowser): Promise<string> => {
  const link = linkIn(browser.page());
  const { status, headers, text } = await browser.go(link);
  const location = headers.get("location");
  if (status !== 303 || location === null) {
    throw new Error(`the relay answered ${status}: ${text}`);
  }
  return location;
};

/** There, signed in, and back. */
export const backFrom = async (browser: ProviderBrowser, login: string): Promise<Answer> => {
  const back = await signInThere(await leaveFor(browser), login);
  return browser.go(`${back.pathname}${back.search}`, { "sec-fetch-site": "cross-site" });
};

/** The whole way, up to the approval. */
export const approveAt = async (
  relay: ProviderBrowser["relay"],
  begun: Begun,
  login: string,
): Promise<Answer> => {
  const browser = await openProviderPage(relay, begun);
  const back = await backFrom(browser, login);
  if (back.status !== 200) {
    return back;
  }
  return browser.send({ action: "approve", user_code: begun.user_code });
};

/** The whole way, to the tokens. */
export const signInAt = async ({ relay }: OidcRelay, login: string): Promise<Tokens> => {
  const begun = await begin(relay);
  const done = await approveAt(relay, begun, login);
  const { status, text, body } = await poll(relay, begun);
  if (done.status !== 200 || status !== 200) {
    throw new Error(`nobody signed in: ${done.text} ${text}`);
  }
  return body;
};

/** Whose an access token is. */
export const userOf = async ({ relay }: OidcRelay, { access_token }: Tokens): Promise<string> => {
  const [, payload = ""] = access_token.split(".");
  const { sub } = JSON.parse(Buffer.from(payload, "base64url").toString());
  const { data } = (await relay.admin("/admin/devices?limit=1000")).body;
  return data.find(({ id }: { id: string }) => id === sub).user_id;
};
