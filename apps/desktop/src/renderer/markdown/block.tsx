import type { MarkedToken, Token, Tokens } from "marked";
import type { VNode } from "preact";
import { CodeBlock } from "./code-block.tsx";
import { Inline } from "./inline.tsx";

/** One block of Markdown; what it does not know it shows as it was written. */
export const Block = ({ token }: Readonly<{ token: Token }>): VNode | null => {
  const known = token as MarkedToken;
  switch (known.type) {
    case "space":
    case "def":
      return null;
    case "heading":
      return <Heading token={known} />;
    case "paragraph":
      return (
        <p>
          <Inline tokens={known.tokens} />
        </p>
      );
    case "text":
      return <Inline tokens={known.tokens ?? [known]} />;
    case "code":
      return <CodeBlock text={known.text} language={known.lang ?? ""} />;
    case "blockquote":
      return (
        <blockquote>
          <Blocks tokens={known.tokens} />
        </blockquote>
      );
    case "list":
      return <List token={known} />;
    case "table":
      return <Table token={known} />;
    case "hr":
      return <hr />;
    case "html":
      return <p class="as-written">{known.raw.trim()}</p>;
    default:
      return <Inline tokens={[known]} />;
  }
};

const Blocks = ({ tokens }: Readonly<{ tokens: readonly Token[] }>) => (
  <>
    {tokens.map((token, at) => (
      <Block key={at} token={token} />
    ))}
  </>
);

/** An answer stands below the window's own headings, so its first level is the third. */
const Heading = ({ token }: Readonly<{ token: Tokens.Heading }>) => {
  const Tag = (["h3", "h4", "h5", "h6"] as const)[Math.min(token.depth, 4) - 1] ?? "h6";
  return (
    <Tag class={`heading-${token.depth}`}>
      <Inline tokens={token.tokens} />
    </Tag>
  );
};

const List = ({ token }: Readonly<{ token: Tokens.List }>) => {
  const items = token.items.map((item, at) => (
    <li key={at} class={item.task ? "task" : undefined}>
      <Blocks tokens={item.tokens} />
    </li>
  ));
  return token.ordered ? <ol start={Number(token.start)}>{items}</ol> : <ul>{items}</ul>;
};

const Table = ({ token }: Readonly<{ token: Tokens.Table }>) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, by keyboard too
  <section class="table-scroll" aria-label="Table" tabIndex={0}>
    <table>
      <thead>
        <tr>
          {token.header.map((cell, at) => (
            <th key={at} scope="col" class={alignment(cell)}>
              <Inline tokens={cell.tokens} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {token.rows.map((row, at) => (
          <tr key={at}>
            {row.map((cell, column) => (
              <td key={column} class={alignment(cell)}>
                <Inline tokens={cell.tokens} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

const alignment = ({ align }: Tokens.TableCell): string | undefined =>
  align === null ? undefined : `align-${align}`;
