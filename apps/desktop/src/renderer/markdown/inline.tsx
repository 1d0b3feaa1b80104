import type { MarkedToken, Token, Tokens } from "marked";
import type { ComponentChildren, VNode } from "preact";
import { withCharacters } from "./character-references.ts";
import { OutLink } from "./out-link.tsx";
import { safeLink } from "./safe-link.ts";

/** Text with emphasis, code, links. HTML stays text; pictures become links, and are never loaded. */
export const Inline = ({ tokens }: Readonly<{ tokens: readonly Token[] }>): VNode => (
  <>{tokens.map(inlineNode)}</>
);

const inlineNode = (token: Token, at: number): ComponentChildren => {
  const known = token as MarkedToken;
  switch (known.type) {
    case "text":
      return known.tokens === undefined ? (
        withCharacters(known.text)
      ) : (
        <Inline key={at} tokens={known.tokens} />
      );
    case "escape":
      return known.text;
    case "strong":
      return (
        <strong key={at}>
          <Inline tokens={known.tokens} />
        </strong>
      );
    case "em":
      return (
        <em key={at}>
          <Inline tokens={known.tokens} />
        </em>
      );
    case "del":
      return (
        <del key={at}>
          <Inline tokens={known.tokens} />
        </del>
      );
    case "codespan":
      return <code key={at}>{known.text}</code>;
    case "br":
      return <br key={at} />;
    case "link":
      return <Link key={at} token={known} />;
    case "image":
      return <Picture key={at} token={known} />;
    case "checkbox":
      return <CheckBox key={at} checked={known.checked} />;
    case "html":
      // Models write this one in table cells, where Markdown has no line break.
      return /^<br\s*\/?>$/i.test(known.raw) ? <br key={at} /> : known.raw;
    default:
      return known.raw;
  }
};

const Link = ({ token }: Readonly<{ token: Tokens.Link }>): ComponentChildren => {
  const url = safeLink(token.href);
  if (url === null) {
    return token.raw;
  }
  return (
    <OutLink url={url}>
      <Inline tokens={token.tokens} />
    </OutLink>
  );
};

const Picture = ({ token }: Readonly<{ token: Tokens.Image }>) => {
  const url = safeLink(token.href);
  const words = `Picture${token.text === "" ? "" : `: ${withCharacters(token.text)}`}`;
  return url === null ? (
    <span class="no-picture">{words}</span>
  ) : (
    <OutLink url={url}>{words}</OutLink>
  );
};

const CheckBox = ({ checked }: Readonly<{ checked: boolean }>) => (
  <input type="checkbox" checked={checked} disabled aria-label={checked ? "Done" : "Not done"} />
);
