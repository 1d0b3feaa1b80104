/** Both sides of a gateway sign-in: what Claude Code sends, and what a person's browser does. */
import type { Answer, InsideRelay } from "./inside.ts";

export const password = "correct horse battery";
export const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

type Fields = Readonly<Record<string, string>>;
type Headers = Readonly<Record<string, string>>;

/** The part of a relay that is needed: one inside the test's process, or one that `callOf` makes. */
export type Callable = Pick<InsideRelay, "call">;

export const postForm = (
  relay: Callable,
  path: string,
  fields: Fields,
  headers: Headers = {},
): Promise<Answer> =>
  relay.call(path, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams(fields).toString(),
  });

export type Begun = Readonly<{
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  expires_in: number;
  interval: number;
}>;

export const begin = async (relay: Callable, headers: Headers = {}): Promise<Begun> => {
  const agent = { "user-agent": "claude-cli/2.1.329 (external, cli)" };
  const fields = { surface: "claude_code" };
  const { status, text, body } = await postForm(relay, "/oauth/device_authorization", fields, {
    ...agent,
    ...headers,
  });
  if (status !== 200) {
    throw new Error(`device authorization answered ${status}: ${text}`);
  }
  return body;
};

export const poll = (relay: Callable, { device_code }: Begun, headers: Headers = {}) =>
  postForm(relay, "/oauth/token", { grant_type: deviceGrant, device_code }, headers);

export const refresh = (relay: Callable, token: string) =>
  postForm(relay, "/oauth/token", { grant_type: "refresh_token", refresh_token: token });

export type Browser = Readonly<{
  cookie: string;
  csrf: string;
  page: Answer;
  send(fields: Fields, headers?: Headers): Promise<Answer>;
}>;

/** A browser that has opened the verification page. */
export const openPage = async (
  relay: Callable,
  path = "/device",
  headers: Headers = {},
): Promise<Browser> => {
  const page = await relay.call(path, { headers });
  const cookie = page.headers.get("set-cookie")?.split(";")[0] ?? "";
  const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? "";
  const send = (fields: Fields, more: Headers = {}) =>
    postForm(relay, "/device", { csrf, ...fields }, { cookie, ...headers, ...more });
  return { cookie, csrf, page, send };
};

/** A person who approves it with their right password. */
export const approve = async (relay: Callable, begun: Begun, name = "ann"): Promise<void> => {
  const browser = await openPage(relay);
  const sent = { user_code: begun.user_code, name, password, action: "approve" };
  const answer = await browser.send(sent);
  if (answer.status !== 200) {
    throw new Error(`the page answered ${answer.status}: ${answer.text}`);
  }
};

export type Tokens = Readonly<{ access_token: string; refresh_token: string; expires_in: number }>;

/** The whole way. */
export const signIn = async (relay: Callable, name = "ann"): Promise<Tokens> => {
  const begun = await begin(relay);
  await approve(relay, begun, name);
  const { status, text, body } = await poll(relay, begun);
  if (status !== 200) {
    throw new Error(`the token endpoint answered ${status}: ${text}`);
  }
  return body;
};

/** Ann of the lab, who has a password. */
export const addAnn = async (relay: Pick<InsideRelay, "admin">): Promise<void> => {
  await relay.admin("/admin/organizations", { body: { id: "lab" } });
  await relay.admin("/admin/users", { body: { id: "ann", organization_id: "lab" } });
  const set = await relay.admin("/admin/users/ann/password", {
    method: "PUT",
    body: { password },
  });
  if (set.status !== 200) {
    throw new Error(`no password was set: ${set.text}`);
  }
};
