import type { VNode } from "preact";
import { CopyButton } from "../shell/copy-button.tsx";

type Props = Readonly<{
  text: string;
  /** What stands behind the fence: a language, perhaps more. */
  language: string;
}>;

export const CodeBlock = ({ text, language }: Props): VNode => {
  const name = language.trim().split(/\s/, 1)[0]?.slice(0, 40) ?? "";
  return (
    <figure class="code-block" data-testid="code-block">
      <figcaption>
        <span data-testid="code-language">{name === "" ? "text" : name}</span>
        <CopyButton text={text} what="code" />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines scroll, by keyboard too */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </figure>
  );
};
