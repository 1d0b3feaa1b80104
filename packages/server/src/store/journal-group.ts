/** What one turn of the event loop queued: written with one system call. */
export type JournalGroup = {
  opens: string;
  openIds: string[];
  /** Progress and outcomes: these are kept for a later group if this one fails. */
  rest: string;
  kept: PromiseWithResolvers<void> | null;
};

export const emptyGroup = (): JournalGroup => ({ opens: "", openIds: [], rest: "", kept: null });
