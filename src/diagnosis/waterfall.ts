// The spans of a chain as bars of text: one line each, children under their parents, on one scale of milliseconds.
import { beginOf, type Chain, type ChainSpan } from './chain.ts';

export interface WaterfallRow {
  /** With two spaces for each parent above it. */
  readonly name: string;
  /** From the begin of the chain. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly failed: boolean;
  readonly bar: string;
}

/**
 * `width`: characters of the longest bar. A step that comes much later than the rest (a poll, a delivery) would leave
 * nothing of the others, so a bar is never shorter than one character.
 */
export function waterfallOf(chain: Chain, width = 40): WaterfallRow[] {
  const begin = beginOf(chain).getTime();
  const startOf = ({ startedAt }: ChainSpan): number => startedAt.getTime() - begin;
  const totalMs = Math.max(1, ...chain.spans.map(span => startOf(span) + span.durationMs));
  return inTree(chain.spans).map(({ span, depth }) => {
    const from = Math.min(width - 1, Math.floor((startOf(span) / totalMs) * width));
    const length = Math.max(1, Math.min(width - from, Math.round((span.durationMs / totalMs) * width)));
    return {
      name: `${'  '.repeat(depth)}${span.name}`,
      startMs: startOf(span),
      durationMs: span.durationMs,
      failed: span.failed,
      bar: `${' '.repeat(from)}${'█'.repeat(length)}`.padEnd(width),
    };
  });
}

/** Parents before their children, both in the order of their start; a span whose parent is not known is a root. */
function inTree(
  spans: readonly ChainSpan[],
): readonly { readonly span: ChainSpan; readonly depth: number }[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentSpanId }) =>
    parentSpanId !== undefined && known.has(parentSpanId) ? parentSpanId : undefined,
  );
  const under = (
    parent: string | undefined,
    depth: number,
  ): { readonly span: ChainSpan; readonly depth: number }[] =>
    (children.get(parent) ?? []).flatMap(span => [{ span, depth }, ...under(span.spanId, depth + 1)]);
  return under(undefined, 0);
}
