/** The ledger as an operator reads it. */
import type { Relay } from "./relay.ts";

export type Row = Readonly<{
  id: string;
  app_key: string | null;
  session_id: string | null;
  operation: string;
  status: number | null;
  accuracy: "measured" | "estimated" | "free";
  ending: string;
  error_type: string | null;
  model: string | null;
  stream: boolean;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_5m_input_tokens: number;
  cache_creation_1h_input_tokens: number;
  cost_micro_usd: number;
  hold_micro_usd: number;
  upstream_request_id: string | null;
}>;

/** Every row, page by page, newest first. */
export const rowsOf = async (relay: Relay, pageSize = 500): Promise<Row[]> => {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { status, body } = await relay.admin(`/admin/usage/requests?limit=${pageSize}${next}`);
    if (status !== 200) {
      throw new Error(`the ledger answered ${status}: ${JSON.stringify(body)}`);
    }
    rows.push(...body.data);
    cursor = body.next_cursor;
  } while (cursor !== null);
  return rows;
};

/**
 * The only row of a relay that has had one request. The caller has its answer a moment before the relay
 * notes how it ended, so this asks until the row is there.
 */
export const onlyRow = async (relay: Relay): Promise<Row> => {
  const [row, ...more] = await rowsWhen(relay, (rows) => rows.length > 0);
  if (row === undefined || more.length > 0) {
    throw new Error(`expected one row, found ${more.length + 1}`);
  }
  return row;
};

/** The rows, once they fit. */
export const rowsWhen = async (relay: Relay, fits: (rows: Row[]) => boolean): Promise<Row[]> => {
  for (;;) {
    const rows = await rowsOf(relay);
    if (fits(rows)) {
      return rows;
    }
  }
};
