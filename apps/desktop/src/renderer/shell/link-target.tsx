import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Where the link that is pointed at or focused leads, in full, in the corner. */
export const LinkTarget = (): VNode | null => {
  const [target, setTarget] = useState<string | null>(null);
  useEffect(() => {
    const onPoint = (event: Event) => {
      const link = event.target instanceof Element ? event.target.closest("[data-target]") : null;
      setTarget(link?.getAttribute("data-target") ?? null);
    };
    document.addEventListener("pointerover", onPoint);
    document.addEventListener("focusin", onPoint);
    return () => {
      document.removeEventListener("pointerover", onPoint);
      document.removeEventListener("focusin", onPoint);
    };
  }, []);
  return target === null ? null : (
    <div class="link-target" data-testid="link-target" role="tooltip">
      {target}
    </div>
  );
};
