// Deliveries: one row for each file and each notice that a user is owed. A row is claimed before it is sent and ended
// after it. So only one of two workers sends it, and what a worker had claimed when it died is sent again once the claim
// has aged. Files of one task are claimed together, because they travel as one album.
// The kinds: `result` a file of the result; `closing` the text with the buttons after several files; `failure` the
// notice that something failed; `original` a file once more as it was made. Closing and failure wait for the files.
import type { CurrentLease } from '../lock/lease.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Database } from './database.ts';
import { createDeliveryRequests, type DeliveryRequests, reopened } from './delivery-requests.ts';

export type DeliveryKind = 'result' | 'closing' | 'failure' | 'original';

export interface Delivery {
  readonly id: number;
  readonly kind: DeliveryKind;
  /** Of the file in the result, from 1. */
  readonly position: number;
  /** Null for notices. */
  readonly url: string | null;
  /** What the messenger called the file when it was last sent. */
  readonly fileId: string | null;
  /** This one included. */
  readonly attempts: number;
  /** Somebody claimed it before and never ended it, and may have sent it. */
  readonly isRepeated: boolean;
}

/** What is sent in one go: files of one result, or a single row of another kind. */
export interface DeliveryClaim {
  readonly kind: DeliveryKind;
  /** At least one, by position. */
  readonly rows: readonly Delivery[];
  /** How many files the result has. */
  readonly files: number;
  /** How many of them the user has been sent. */
  readonly sentFiles: number;
  /** Of the tap that asked for it; undefined where the task itself owes it. */
  readonly traceparent: string | undefined;
}

export interface NextDelivery {
  /** Null for notices. */
  readonly url: string | null;
  readonly dueMs: number;
}

export interface SentDelivery {
  readonly id: number;
  readonly messageId: number;
  readonly fileId: string | undefined;
}

export interface DeliveryStore extends DeliveryRequests {
  /**
   * Claims what is due next: files first, up to ten results at once. A claim older than `claimMs` belongs to an
   * instance that died.
   */
  claim(taskId: string, claimMs: number): Promise<DeliveryClaim | undefined>;
  /** Records what was sent, whoever has the claim now: nobody else can know it. */
  finish(sent: readonly SentDelivery[]): Promise<void>;
  /** Gives rows back, to be tried again after `delayMs`. */
  release(ids: readonly number[], delayMs: number): Promise<void>;
  /** The messenger asked to wait: gives rows back, uncounted, and puts off everything the task still owes. */
  postpone(taskId: string, ids: readonly number[], delayMs: number): Promise<void>;
  /**
   * Ends a row that did not succeed; `notify` makes its reason the task's, and the user is sent a notice. False: it was
   * ended before, or the lease is another's.
   */
  giveUp(id: number, reason: ReasonCode, notify: boolean): Promise<boolean>;
  /** Ends everything the task still owes, for a user who cannot be written to. Returns what it was. */
  giveUpAll(taskId: string, reason: ReasonCode): Promise<readonly Pick<Delivery, 'kind' | 'position'>[]>;
  /**
   * Ends everything the task still owes, because of a fault of ours. Where a file was among it, and no notice that may be
   * the fault itself, the user is sent a notice. Returns what it was.
   */
  abandon(taskId: string, reason: ReasonCode): Promise<readonly Pick<Delivery, 'kind' | 'position'>[]>;
  /** What `claim` takes next, and in how many milliseconds it may; undefined when nothing is owed. */
  next(taskId: string, claimMs: number): Promise<NextDelivery | undefined>;
  /** Makes a claim on these rows as young as a new one, while they are being sent. */
  renew(ids: readonly number[]): Promise<void>;
  /**
   * Whether the message about the work still says that it runs, although the user has the result: whoever sent that
   * died before the message was changed.
   */
  isUnclosed(taskId: string): Promise<boolean>;
}

export interface DeliveryStoreOptions {
  readonly database: Database;
  readonly lease: CurrentLease;
  readonly instanceId: string;
}

/** An album of the Bot API has at most as many. */
const maxFilesAtOnce = 10;

/** Closing and failure are not sent while a file may still follow. */
const isItsTurn = `(kind in ('result', 'original') or not exists (
  select 1 from deliveries as files
  where files.task_id = deliveries.task_id and files.kind = 'result' and files.finished_at is null))`;

const sendingOrder = `array_position(array['result', 'closing', 'failure', 'original'], kind), position`;

interface ClaimedRecord {
  id: string;
  kind: DeliveryKind;
  position: number;
  url: string | null;
  file_id: string | null;
  attempts: number;
  is_repeated: boolean;
  traceparent: string | null;
  files: number;
  sent_files: number;
}

/** Under `lease`: an instance that was succeeded claims, puts off, gives up and reopens nothing. */
export function createDeliveryStore({ database, lease, instanceId }: DeliveryStoreOptions): DeliveryStore {
  return {
    ...createDeliveryRequests(database, lease),
    async claim(taskId, claimMs) {
      const { rows } = await database.query<ClaimedRecord>(
        `with due as (
           select id, kind, position, claimed_at is not null as is_repeated from deliveries
           where task_id = $1 and finished_at is null and due_at <= now() and (select holds_lease($4, $5))
             and (claimed_at is null or claimed_at < now() - $3 * interval '1 millisecond') and ${isItsTurn}
           for update skip locked
         ), first as (
           select kind from due order by ${sendingOrder} limit 1
         ), chosen as (
           select due.id, due.is_repeated from due join first using (kind) order by due.position
           limit case when (select kind from first) = 'result' then ${maxFilesAtOnce} else 1 end
         )
         update deliveries set claimed_by = $2, claimed_at = now(), attempts = attempts + 1
         from chosen, (
           select count(*)::int as files, count(message_id)::int as sent_files
           from deliveries where task_id = $1 and kind = 'result'
         ) as result
         where deliveries.id = chosen.id
         returning deliveries.id, kind, position, url, file_id, attempts, is_repeated, traceparent, files, sent_files`,
        [taskId, instanceId, claimMs, lease().name, lease().epoch],
      );
      return toClaim(rows);
    },
    async finish(sent) {
      await database.query(
        `update deliveries set finished_at = now(), message_id = sent.message_id,
           file_id = coalesce(sent.file_id, deliveries.file_id)
         from unnest($1::bigint[], $2::bigint[], $3::text[]) as sent (id, message_id, file_id)
         where deliveries.id = sent.id and finished_at is null`,
        [
          sent.map(({ id }) => id),
          sent.map(({ messageId }) => messageId),
          sent.map(({ fileId }) => fileId ?? null),
        ],
      );
    },
    async release(ids, delayMs) {
      await database.query(
        `update deliveries set claimed_by = null, claimed_at = null, due_at = now() + $3 * interval '1 millisecond'
         where id = any($1::bigint[]) and finished_at is null and claimed_by = $2 and (select holds_lease($4, $5))`,
        [ids, instanceId, delayMs, lease().name, lease().epoch],
      );
    },
    async postpone(taskId, ids, delayMs) {
      await database.query(
        `update deliveries set
           due_at = greatest(due_at, now() + $4 * interval '1 millisecond'),
           claimed_by = case when id = any($2::bigint[]) then null else claimed_by end,
           claimed_at = case when id = any($2::bigint[]) then null else claimed_at end,
           attempts = case when id = any($2::bigint[]) then attempts - 1 else attempts end
         where task_id = $1 and finished_at is null and (claimed_by is null or claimed_by = $3)
           and (select holds_lease($5, $6))`,
        [taskId, ids, instanceId, delayMs, lease().name, lease().epoch],
      );
    },
    async giveUp(id, reason, notify) {
      const { rowCount } = await database.query(
        `with given_up as (
           update deliveries set finished_at = now(), reason_code = $2
           where id = $1 and finished_at is null and (select holds_lease($4, $5))
           returning task_id, traceparent
         ), explained as (
           update tasks set reason_code = $2 from given_up where tasks.id = given_up.task_id and $3
         ), notice as (
           insert into deliveries (task_id, kind, position, traceparent)
           select task_id, 'failure', 1, traceparent from given_up where $3
           on conflict (task_id, kind, position) do update set ${reopened}, traceparent = excluded.traceparent
           where deliveries.finished_at is not null
         )
         select 1 from given_up`,
        [id, reason, notify, lease().name, lease().epoch],
      );
      return (rowCount ?? 0) > 0;
    },
    async giveUpAll(taskId, reason) {
      const { rows } = await database.query<Pick<Delivery, 'kind' | 'position'>>(
        `update deliveries set finished_at = now(), reason_code = $2
         where task_id = $1 and finished_at is null and (claimed_by is null or claimed_by = $3)
           and (select holds_lease($4, $5))
         returning kind, position`,
        [taskId, reason, instanceId, lease().name, lease().epoch],
      );
      return rows.sort((one, other) => one.position - other.position);
    },
    async abandon(taskId, reason) {
      const { rows } = await database.query<Pick<Delivery, 'kind' | 'position'>>(
        `with given_up as (
           update deliveries set finished_at = now(), reason_code = $2
           where task_id = $1 and finished_at is null and (select holds_lease($3, $4))
           returning kind, position
         ), explained as (
           update tasks set reason_code = $2 where id = $1 and exists (select 1 from given_up where kind = 'result')
         ), notice as (
           insert into deliveries (task_id, kind, position) select $1, 'failure', 1
           where exists (select 1 from given_up where kind in ('result', 'original'))
             and not exists (select 1 from given_up where kind = 'failure')
           on conflict (task_id, kind, position) do update set ${reopened}, traceparent = null
           where deliveries.finished_at is not null
         )
         select kind, position from given_up`,
        [taskId, reason, lease().name, lease().epoch],
      );
      return rows;
    },
    async next(taskId, claimMs) {
      const { rows } = await database.query<{ url: string | null; due_ms: number }>(
        `select url, due_ms from (
           select kind, position, url, greatest(0, ceil(1000 * extract(epoch from
             greatest(due_at, claimed_at + $2 * interval '1 millisecond') - now())))::float8 as due_ms
           from deliveries where task_id = $1 and finished_at is null and ${isItsTurn}
         ) as owed
         order by due_ms, ${sendingOrder} limit 1`,
        [taskId, claimMs],
      );
      const [next] = rows;
      return next && { url: next.url, dueMs: next.due_ms };
    },
    async renew(ids) {
      await database.query(
        `update deliveries set claimed_at = now()
         where id = any($1::bigint[]) and finished_at is null and claimed_by = $2 and (select holds_lease($3, $4))`,
        [ids, instanceId, lease().name, lease().epoch],
      );
    },
    async isUnclosed(taskId) {
      const { rowCount } = await database.query(
        `select 1 from tasks join messages using (chat_id, message_id)
         where tasks.id = $1 and tasks.state = 'succeeded'
           and screen_id = 'PROCESSING' and screen_data->>'task' = tasks.id
           and exists (select 1 from deliveries where task_id = $1 and kind = 'result' and message_id is not null)
           and not exists (select 1 from deliveries where task_id = $1 and kind <> 'original' and finished_at is null)`,
        [taskId],
      );
      return (rowCount ?? 0) > 0;
    },
  };
}

function toClaim(records: readonly ClaimedRecord[]): DeliveryClaim | undefined {
  const [first] = records;
  if (!first) return undefined;
  const rows = records
    .map(record => ({
      id: Number(record.id),
      kind: record.kind,
      position: record.position,
      url: record.url,
      fileId: record.file_id,
      attempts: record.attempts,
      isRepeated: record.is_repeated,
    }))
    .sort((one, other) => one.position - other.position);
  const { kind, files, sent_files: sentFiles, traceparent } = first;
  return { kind, rows, files, sentFiles, traceparent: traceparent ?? undefined };
}
