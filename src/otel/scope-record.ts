// What a span leaves in the journal, gathered while it is open: its lines in their short form, of its events the few
// values that rows are found and counted by, and the spans inside it that have nothing but their times. Made
// only where there is a journal; costs a concatenation per event.
import type { EventName } from './events.ts';
import type { AmbientFields } from './fields.ts';
import type { InnerSpan, JournalEntry } from './journal-row.ts';
import type { Line, OwnFields } from './line.ts';
import type { ReasonCode } from './reasons.ts';
import { shortHead } from './short-lines.ts';

/** What the record itself does not know of the span it belongs to. */
export interface SpanIdentity {
  readonly cid: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for an event outside of any span. */
  readonly name: string | undefined;
  readonly fields: AmbientFields;
  readonly before: object | undefined;
}

export interface ScopeBeginning {
  /** Epoch milliseconds, where the work began before its span; now by default. */
  readonly startedAt?: number | undefined;
  readonly parentSpanId?: string | undefined;
  /** 16 hex digits. */
  readonly userHash?: string | undefined;
  /** That of the span around this one, in the same program. */
  readonly around?: ScopeRecord | undefined;
}

export class ScopeRecord {
  readonly startedAt: number;
  readonly parentSpanId: string | undefined;
  /** 16 hex digits. */
  readonly userHash: string | undefined;
  readonly around: ScopeRecord | undefined;
  failed = false;
  /** Events that come afterwards are rows of their own. */
  ended = false;
  #lines = '';
  #innerSpans = '';
  #eventCount = 0;
  /** Of the line before. */
  #head = '';
  #reasonCode: ReasonCode | undefined;
  /** Only a warning on the way has given it: how the thing ends is still to come. */
  #isProvisional = false;
  #screenId: string | undefined;
  #modelId: string | undefined;
  #modelVersion: string | undefined;
  /** Milliseconds of a clock that is not set while the work goes on. */
  readonly #clock = performance.now();
  readonly #elapsedBefore: number;

  constructor({ startedAt, parentSpanId, userHash, around }: ScopeBeginning) {
    const now = Date.now();
    this.startedAt = startedAt ?? now;
    this.#elapsedBefore = now - this.startedAt;
    this.parentSpanId = parentSpanId;
    this.userHash = userHash;
    this.around = around;
  }

  add(name: EventName, { start, head, rest }: Line, own: OwnFields): void {
    this.#lines += `${this.#lines === '' ? '' : '\n'}${start}${shortHead(head.text, this.#head)}${rest}`;
    this.#head = head.text;
    this.#eventCount += 1;
    if (own.reason_code !== undefined) this.#addReason(own.reason_code, name === 'SYSTEM_WARNING');
    if (own.screen_id !== undefined) this.#screenId = own.screen_id;
    if (own.model_id !== undefined) this.#modelId = own.model_id;
    if (own.model_version !== undefined) this.#modelVersion = own.model_version;
  }

  /** Takes the times of a span inside this one, where it has nothing else; false where it needs a row of its own. */
  absorbs(inner: ScopeRecord, spanId: string, name: string): boolean {
    if (this.ended || inner.#eventCount > 0 || inner.#innerSpans !== '') return false;
    const span: InnerSpan = [
      spanId,
      name,
      inner.startedAt - this.startedAt,
      inner.#durationMs(),
      inner.failed,
    ];
    this.#innerSpans += `${this.#innerSpans === '' ? '' : ','}${JSON.stringify(span)}`;
    return true;
  }

  /** The screen is the one where the user was, and only without it the one that was shown. */
  entry({ cid, traceId, spanId, name, fields, before }: SpanIdentity): JournalEntry {
    return {
      at: new Date(this.startedAt),
      cid,
      traceId,
      spanId,
      parentSpanId: this.parentSpanId,
      spanName: name,
      durationMs: name === undefined ? undefined : this.#durationMs(),
      failed: this.failed,
      userHash: this.#eventCount > 0 ? this.userHash : undefined,
      reasonCode: this.#reasonCode,
      screenId: fields.screen_id ?? this.#screenId,
      modelId: fields.model_id ?? this.#modelId,
      modelVersion: fields.model_version ?? this.#modelVersion,
      eventCount: this.#eventCount,
      before,
      innerSpans: this.#innerSpans === '' ? '' : `[${this.#innerSpans}]`,
      lines: this.#lines,
    };
  }

  #addReason(reason: ReasonCode, isWarning: boolean): void {
    const known = this.#reasonCode;
    const isOpen = known === undefined || this.#isProvisional;
    if (!isOpen && (isWarning || (isPlain(reason) && !isPlain(known)))) return;
    this.#reasonCode = reason;
    this.#isProvisional = isWarning;
  }

  #durationMs(): number {
    return this.#elapsedBefore + performance.now() - this.#clock;
  }
}

/** The reasons that ask for no further look. */
function isPlain(reason: ReasonCode): boolean {
  return reason === 'SUCCESS' || reason === 'NOOP';
}
