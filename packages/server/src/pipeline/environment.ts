/** Variables of a process, and what files add to them. */
export type Environment = Readonly<Record<string, string | undefined>>;
