/** The verification page (RFC 8628 §3.3) as HTML: plain forms, no script, one style sheet. */
import { createHash } from "node:crypto";
import type { AskedApproval } from "../../pipeline/gateway-ports.ts";
import { type Html, html, raw } from "./html.ts";

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
label { display: block; margin: 1rem 0 .25rem; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; border: 1px solid #888; border-radius: .4rem; }
.code { font: 600 1.4rem/1.5 ui-monospace, monospace; letter-spacing: .08em; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; overflow-wrap: anywhere; }
dt { opacity: .7; } dd { margin: 0; }
.fault { border-left: 4px solid #c0392b; padding: .25rem .75rem; }
.buttons { display: flex; gap: .75rem; margin-top: 1.5rem; }
button { font: inherit; padding: .5rem 1.25rem; border-radius: .4rem; border: 1px solid #888; cursor: pointer; }
button.approve, a.button { background: #1a6b3c; border-color: #1a6b3c; color: #fff; }
a.button { display: inline-block; padding: .5rem 1.25rem; border-radius: .4rem; text-decoration: none; }
.or { margin: 1.5rem 0 0; opacity: .7; }
`;

const styleHash = createHash("sha256").update(style).digest("base64");

/** Nothing but this page's own style and its own form; nobody frames it, nothing is kept. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  // A form's Origin must stay readable to us, and the code in the address must not leave.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "interest-cohort=()",
  "cache-control": "no-store",
};

const none = "" as Html;

export type FormState = Readonly<{
  /** This page, as people's browsers reach it. */
  page: string;
  csrf: string;
  fault: string | null;
}>;

/** Asks for the code. One that came in the address is only filled in: the person sends it. RFC 8628 §5.4 */
export const codePage = ({ page: address, csrf, fault }: FormState, code: string): Html =>
  page(
    "Sign in to Claude Code",
    html`<h1>Sign in to Claude Code</h1>
${raw(faultLine(fault))}
<form method="post" action="${address}" autocomplete="off">
${raw(hidden("csrf", csrf))}${raw(hidden("action", "find"))}
<label for="user_code">The code that Claude Code shows</label>
<input class="code" id="user_code" name="user_code" value="${code}" maxlength="32" required autocapitalize="characters" spellcheck="false" placeholder="BCDF-GHJK">
<p>Go on only if you started this sign-in yourself, just now, and your screen shows the same code.</p>
<div class="buttons"><button type="submit">Continue</button></div>
</form>`,
  );

/** How a person may say who they are; null: not so. */
export type Ways = Readonly<{
  /** The name that was given before. */
  password: Readonly<{ name: string }> | null;
  /** A link to the provider. */
  provider: Readonly<{ label: string; href: string }> | null;
}>;

/** Shows who asks, and the ways to sign in; with a password that is the approval, too. */
export const approvalPage = (
  state: FormState,
  asked: AskedApproval,
  now: number,
  { password, provider }: Ways,
): Html =>
  askingPage(
    state,
    asked,
    now,
    html`${raw(provider === null ? none : providerPart(provider, password !== null))}
<form method="post" action="${state.page}">
${raw(hidden("csrf", state.csrf))}${raw(hidden("user_code", asked.userCode))}
${raw(password === null ? none : passwordPart(password.name))}
<div class="buttons">
${raw(password === null ? none : approveButton)}
<button type="submit" name="action" value="deny">Deny</button>
</div>
</form>`,
  );

/** Shows who asks to somebody who is back from the provider. Only this page's button approves. */
export const knownPersonPage = (
  state: FormState,
  asked: AskedApproval,
  now: number,
  person: Readonly<{ userId: string; label: string; ticket: string }>,
): Html =>
  askingPage(
    state,
    asked,
    now,
    html`<form method="post" action="${state.page}">
${raw(hidden("csrf", state.csrf))}${raw(hidden("user_code", asked.userCode))}${raw(hidden("ticket", person.ticket))}
<p>You are <strong>${person.userId}</strong>, signed in at ${person.label}.</p>
<p>${consequence}</p>
<div class="buttons">
${raw(approveButton)}
<button type="submit" name="action" value="deny">Deny</button>
</div>
</form>`,
  );

const consequence = "Whoever shows this code will use Claude in your name.";

const approveButton = html`<button class="approve" type="submit" name="action" value="approve">Approve</button>`;

const providerPart = (
  { label, href }: Readonly<{ label: string; href: string }>,
  isOneOfTwo: boolean,
): Html =>
  html`<p>Sign in first. You approve after that, back here.</p>
<p><a class="button" href="${href}">Sign in at ${label}</a></p>
${raw(isOneOfTwo ? html`<p class="or">or approve with a password of this relay:</p>` : none)}`;

const passwordPart = (name: string): Html =>
  html`<label for="name">Your name on this relay</label>
<input id="name" name="name" value="${name}" maxlength="128" autocomplete="username" autocapitalize="none" spellcheck="false">
<label for="password">Password</label>
<input id="password" name="password" type="password" maxlength="1024" autocomplete="current-password">
<p>${consequence}</p>`;

const askingPage = ({ fault }: FormState, asked: AskedApproval, now: number, answer: Html): Html =>
  page(
    "Approve this sign-in?",
    html`<h1>Approve this sign-in?</h1>
${raw(faultLine(fault))}
<dl>
<dt>Code</dt><dd class="code">${asked.userCode}</dd>
<dt>Program</dt><dd>${asked.userAgent === "" ? "does not say" : asked.userAgent}</dd>
<dt>From</dt><dd>${asked.clientIp}${asked.fromHere ? " (the address you are at)" : ""}</dd>
<dt>Asked</dt><dd>${agoOf(now - asked.askedAt)}</dd>
</dl>
${raw(asked.fromHere ? none : html`<p class="fault">This was asked from another address than yours. Approve it only if that is a machine of yours.</p>`)}
${raw(answer)}`,
  );

export const donePage = (what: "approved" | "denied"): Html =>
  what === "approved"
    ? page(
        "Signed in",
        html`<h1>Signed in</h1><p>Go back to Claude Code. You can close this page.</p>`,
      )
    : page(
        "Denied",
        html`<h1>Denied</h1><p>Whoever asked gets nothing. If you did not start it, tell the operator of this relay.</p>`,
      );

/** When there is no form to go on with. @param address of the page */
export const faultPage = (fault: string, address: string, code = ""): Html => {
  const again = code === "" ? address : `${address}?user_code=${encodeURIComponent(code)}`;
  return page(
    "That did not work",
    html`<h1>That did not work</h1>${raw(faultLine(fault))}<p><a href="${again}">Start again</a></p>`,
  );
};

const page = (title: string, body: Html): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${raw(style as Html)}</style>
</head>
<body>
<main>
${raw(body)}
</main>
</body>
</html>
`;

const faultLine = (fault: string | null): Html =>
  fault === null ? none : html`<p class="fault" role="alert">${fault}</p>`;

const hidden = (name: string, value: string): Html =>
  html`<input type="hidden" name="${name}" value="${value}">`;

const agoOf = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000);
  return minutes < 1 ? "less than a minute ago" : `${minutes} min ago`;
};
