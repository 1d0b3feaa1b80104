import { auditColumns } from "../journal-line.ts";
import { ledgerColumns } from "../ledger-row.ts";

/** The other columns of `requests` hold whole numbers. */
const texts: ReadonlySet<string> = new Set<(typeof ledgerColumns)[number]>([
  ...(["id", "operation", "caller_kind", "caller_id", "user_id", "organization_id"] as const),
  ...(["session_id", "model", "upstream", "accuracy", "ending", "response_model"] as const),
  ...(["price_flag", "error_type", "upstream_request_id", "service_tier", "speed"] as const),
  ...(["inference_geo", "iterations"] as const),
]);

const fields = ledgerColumns.map((column, index) =>
  texts.has(column) ? `r ->> ${index}` : `(r ->> ${index})::bigint`,
);

const auditFields = auditColumns.map((column, index) =>
  column === "at" ? `(a ->> ${index})::bigint` : `a ->> ${index}`,
);

/** $1: rows, as a list of lists. */
export const keepRows =
  `insert into requests (${ledgerColumns}) select ${fields} from jsonb_array_elements($1::jsonb) as r ` +
  "on conflict (id) do nothing";

/**
 * One statement, so one transaction in one round trip, and all of it hangs on the checkpoint being at $4, $5:
 * a statement that a server carries out long after we gave up on it finds the checkpoint elsewhere, and does
 * nothing. Gives one row if it did something.
 *
 * $1 instance, $2 and $3 the checkpoint's new place, $6 rows, $7 ids to forget, $8 whether to forget all,
 * $9 open requests to be written down: id, intent, progress; $10 entries of the audit log.
 */
export const keepBatch = `
  with moved as (
    insert into journal_checkpoint as c (instance, segment, offset_bytes) values ($1, $2, $3)
    on conflict (instance) do update set segment = excluded.segment, offset_bytes = excluded.offset_bytes
    where c.segment = $4 and c.offset_bytes = $5
    returning c.instance
  ), kept as (
    insert into requests (${ledgerColumns})
    select ${fields} from moved, jsonb_array_elements($6::jsonb) as r
    on conflict (id) do nothing
  ), audited as (
    insert into audit (${auditColumns})
    select ${auditFields} from moved, jsonb_array_elements($10::jsonb) as a
  ), forgotten as (
    delete from open_requests as o using moved
    where o.instance = moved.instance and ($8::boolean or o.id = any ($7::text[]))
  ), carried as (
    insert into open_requests (instance, id, intent, progress)
    select moved.instance, o ->> 0, o ->> 1, o ->> 2 from moved, jsonb_array_elements($9::jsonb) as o
    on conflict (id) do update set progress = excluded.progress
  )
  select 1 from moved`;

export const readCheckpoint =
  'select segment, offset_bytes as "offset" from journal_checkpoint where instance = $1';

export const readOpen = "select intent, progress from open_requests where instance = $1";

/** $1: ids. Gives those that have no row. */
export const withoutRow =
  "select id from unnest($1::text[]) as asked (id) where not exists (select from requests as r where r.id = asked.id)";
