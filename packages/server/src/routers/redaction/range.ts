/** A stretch of a text, `end` exclusive; never empty. */
export type Range = Readonly<{ start: number; end: number }>;
