import { type ComponentChildren, createContext, type VNode } from "preact";
import { useCallback, useContext, useState } from "preact/hooks";

type Announce = (words: string) => void;

const AnnounceContext = createContext<Announce>(() => undefined);

/** Says words to screen readers, politely. */
export const useAnnounce = (): Announce => useContext(AnnounceContext);

/** Holds the one region that is read out. An answer is read out when it ends, not letter by letter. */
export const Announcer = ({ children }: Readonly<{ children: ComponentChildren }>): VNode => {
  const [words, setWords] = useState("");
  const announce = useCallback((next: string) => {
    // The same words again are read again only when they were away between.
    setWords("");
    setTimeout(() => setWords(next), 50);
  }, []);
  return (
    <AnnounceContext.Provider value={announce}>
      {children}
      <div class="off-screen" aria-live="polite" data-testid="announcer">
        {words}
      </div>
    </AnnounceContext.Provider>
  );
};
