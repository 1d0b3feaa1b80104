/** An answer's Markdown as nodes. No text of it ever becomes HTML. */
import type { Token } from "marked";
import { Component, type VNode } from "preact";
import { useRef } from "preact/hooks";
import { Block } from "./block.tsx";
import { withFewMarks } from "./combining-marks.ts";
import { createGrowingBlocks } from "./growing-blocks.ts";

type Props = Readonly<{ text: string }>;

/** Cheap to draw again when `text` only grew: blocks that stayed are not drawn again. */
export const Markdown = ({ text }: Props): VNode => {
  const blocks = useRef(createGrowingBlocks());
  return (
    <div class="markdown" data-testid="markdown">
      {blocks.current.read(withFewMarks(text)).map((token, at) => (
        <TopBlock key={at} token={token} />
      ))}
    </div>
  );
};

class TopBlock extends Component<Readonly<{ token: Token }>> {
  override shouldComponentUpdate(next: Readonly<{ token: Token }>): boolean {
    return next.token !== this.props.token;
  }
  override render(): VNode | null {
    return <Block token={this.props.token} />;
  }
}
