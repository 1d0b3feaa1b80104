import type { Range } from "./range.ts";

/** A text whose broken lines are whole again, and where its characters stood before. */
export type JoinedLines = Readonly<{ text: string; original: (range: Range) => Range }>;

/** Takes out `\` at a line's end with the indent after it, as RouterOS does; null when there is none. */
export const joinedLines = (text: string): JoinedLines | null => {
  const cuts: { at: number; removed: number }[] = [];
  let joined = "";
  let from = 0;
  let removed = 0;
  for (const found of text.matchAll(join)) {
    joined += text.slice(from, found.index);
    from = found.index + found[0].length;
    removed += found[0].length;
    cuts.push({ at: joined.length, removed });
  }
  if (cuts.length === 0) {
    return null;
  }
  const place = (at: number): number => at + (lastUpTo(cuts, at)?.removed ?? 0);
  return {
    text: joined + text.slice(from),
    original: ({ start, end }) => ({ start: place(start), end: place(end - 1) + 1 }),
  };
};

const join = /\\\r?\n[ \t]*/g;

const lastUpTo = <Cut extends Readonly<{ at: number }>>(
  cuts: readonly Cut[],
  at: number,
): Cut | undefined => {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cuts[middle]?.at ?? 0) <= at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return cuts[low - 1];
};
