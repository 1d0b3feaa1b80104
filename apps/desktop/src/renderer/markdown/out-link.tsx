import type { ComponentChildren, VNode } from "preact";
import { useController } from "../state/hooks.ts";

type Props = Readonly<{
  /** What `safeLink` gave. */
  url: string;
  children: ComponentChildren;
}>;

/**
 * A link out of the app. It has no href: the window itself can go nowhere, and the main process opens the
 * system's browser. Where it leads shows in the corner while it is pointed at (link-target.tsx).
 */
export const OutLink = ({ url, children }: Props): VNode => {
  const { openLink } = useController();
  const open = () => void openLink(url);
  return (
    // biome-ignore lint/a11y/useSemanticElements: an anchor with an href would let the window leave the app
    <span
      role="link"
      tabIndex={0}
      class="out-link"
      data-target={url}
      data-testid="out-link"
      onClick={open}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          open();
        }
      }}
    >
      {children}
    </span>
  );
};
