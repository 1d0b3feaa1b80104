import type { RefObject } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

/** Within this many pixels of the end the reader follows it. */
const near = 48;

export type StickToEnd = Readonly<{
  /** The reader has left the end, so what is new comes out of sight. */
  isAway: boolean;
  jumpToEnd(): void;
}>;

/**
 * Keeps a scrolling box at its end while it grows, until the reader scrolls up; again when he is back.
 * `topic`: another one begins at its end.
 */
export const useStickToEnd = (
  box: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
  topic: string | null,
): StickToEnd => {
  const isStuck = useRef(true);
  const [isAway, setAway] = useState(false);

  const jumpToEnd = useCallback(() => {
    isStuck.current = true;
    setAway(false);
    toEnd(box.current);
  }, [box]);

  useEffect(jumpToEnd, [topic, jumpToEnd]);

  useEffect(() => {
    const element = box.current;
    const inner = content.current;
    if (element === null || inner === null) {
      return undefined;
    }
    let lastTop = element.scrollTop;
    const onScroll = () => {
      const isNear = element.scrollHeight - element.clientHeight - element.scrollTop <= near;
      // Growing text moves the end away too, but only the reader scrolls up.
      if (isNear) {
        isStuck.current = true;
      } else if (element.scrollTop < lastTop) {
        isStuck.current = false;
      }
      lastTop = element.scrollTop;
      setAway(!isStuck.current);
    };
    const follow = () => {
      if (isStuck.current) {
        toEnd(element);
        lastTop = element.scrollTop;
      }
    };
    const observer = new ResizeObserver(follow);
    observer.observe(inner);
    observer.observe(element);
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, [box, content]);

  return { isAway, jumpToEnd };
};

const toEnd = (element: HTMLElement | null): void => {
  if (element !== null) {
    element.scrollTop = element.scrollHeight;
  }
};
