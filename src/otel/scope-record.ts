// What a span leaves in the journal, gathered while it is open: its lines in their short form, and of its events the
// few values that rows are found and counted by. Made only where there is a journal; costs a concatenation per event.
import type { AmbientFields, EventFields } from './fields.ts';
import type { JournalRow } from './journal-row.ts';
import type { ReasonCode } from './reasons.ts';
import { shortHead } from './short-lines.ts';

/** What stands in a line before what it has in common with others, that, and what stands behind it. */
export interface LineParts {
  readonly start: string;
  readonly head: string;
  readonly rest: string;
}

type Own = Readonly<Partial<EventFields>>;
/** The columns that come from the events. */
type Columns = Pick<
  JournalRow,
  'failed' | 'userHash' | 'reasonCode' | 'screenId' | 'modelId' | 'modelVersion' | 'eventCount' | 'lines'
>;

export class ScopeRecord {
  readonly startedAt: number;
  readonly parentSpanId: string | undefined;
  /** 16 hex digits. */
  readonly userHash: string | undefined;
  failed = false;
  /** What comes afterwards is told by rows of its own. */
  ended = false;
  #lines = '';
  #eventCount = 0;
  /** Of the line before. */
  #head = '';
  #reasonCode: ReasonCode | undefined;
  #screenId: string | undefined;
  #modelId: string | undefined;
  #modelVersion: string | undefined;
  /** Milliseconds of a clock that is not set while the work goes on. */
  readonly #clock = performance.now();
  readonly #elapsedBefore: number;

  /** `startedAt` in epoch milliseconds, where the work began before its span. */
  constructor(startedAt: number | undefined, parentSpanId: string | undefined, userHash: string | undefined) {
    const now = Date.now();
    this.startedAt = startedAt ?? now;
    this.#elapsedBefore = now - this.startedAt;
    this.parentSpanId = parentSpanId;
    this.userHash = userHash;
  }

  add({ start, head, rest }: LineParts, own: Own): void {
    this.#lines += `${this.#lines === '' ? '' : '\n'}${start}${shortHead(head, this.#head)}${rest}`;
    this.#head = head;
    this.#eventCount += 1;
    const { reason_code: reason } = own;
    if (reason !== undefined && (!isPlain(reason) || !this.#reasonCode || isPlain(this.#reasonCode)))
      this.#reasonCode = reason;
    if (own.screen_id !== undefined) this.#screenId = own.screen_id;
    if (own.model_id !== undefined) this.#modelId = own.model_id;
    if (own.model_version !== undefined) this.#modelVersion = own.model_version;
  }

  durationMs(): number {
    return this.#elapsedBefore + performance.now() - this.#clock;
  }

  /** The screen is the one where the user was, and only without it the one that was shown. */
  columns(fields: AmbientFields): Columns {
    return {
      failed: this.failed,
      userHash: this.#eventCount > 0 ? this.userHash : undefined,
      reasonCode: this.#reasonCode,
      screenId: fields.screen_id ?? this.#screenId,
      modelId: fields.model_id ?? this.#modelId,
      modelVersion: fields.model_version ?? this.#modelVersion,
      eventCount: this.#eventCount,
      lines: flat(this.#lines),
    };
  }
}

/** The reasons that ask for no further look. */
function isPlain(reason: ReasonCode): boolean {
  return reason === 'SUCCESS' || reason === 'NOOP';
}

/**
 * The same text in one piece. A concatenation stays a tree of its parts until somebody reads it, and as such it costs
 * garbage collection twice as much as everything else here; turning it into a number reads it, and costs nothing.
 */
function flat(text: string): string {
  Number(text);
  return text;
}
