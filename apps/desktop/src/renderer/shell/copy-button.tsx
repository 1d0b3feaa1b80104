import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useAnnounce } from "./announcer.tsx";
import { copyText } from "./clipboard.ts";
import { Icon } from "./icon.tsx";

type Props = Readonly<{
  text: string;
  /** Of what: `code`, `answer`. */
  what: string;
}>;

/** Copies, and says for a moment that it did. */
export const CopyButton = ({ text, what }: Props): VNode => {
  const announce = useAnnounce();
  const [outcome, setOutcome] = useState<"Copied" | "Not copied" | null>(null);
  useEffect(() => {
    if (outcome === null) {
      return undefined;
    }
    const timer = setTimeout(() => setOutcome(null), 2000);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => {
    const next = (await copyText(text)) ? "Copied" : "Not copied";
    setOutcome(next);
    announce(next);
  };
  return (
    <button
      type="button"
      class="quiet small"
      data-testid={`copy-${what}`}
      aria-label={`${outcome ?? "Copy"} ${what}`}
      onClick={() => void copy()}
    >
      <Icon name={outcome === "Copied" ? "check" : "copy"} />
      {outcome ?? "Copy"}
    </button>
  );
};
