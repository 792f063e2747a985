// The spans of a chain as bars of text: one line each, children under their parents, on one scale of milliseconds.
import { beginOf, type Chain, type ChainSpan } from './chain.ts';

export interface WaterfallRow {
  /** With two spaces for each parent above it, at most 20 of them. */
  readonly name: string;
  /** From the begin of the chain. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly failed: boolean;
  readonly bar: string;
}

/** Deeper ones stand in one column: a line must stay a line. */
const shownDepth = 20;

/**
 * `width`: characters of the longest bar. A step that comes much later than the rest (a poll, a delivery) would leave
 * nothing of the others, so a bar is never shorter than one character.
 */
export function waterfallOf(chain: Chain, width = 40): WaterfallRow[] {
  const begin = beginOf(chain).getTime();
  const startOf = ({ startedAt }: ChainSpan): number => startedAt.getTime() - begin;
  const totalMs = chain.spans.reduce((end, span) => Math.max(end, startOf(span) + span.durationMs), 1);
  return inTree(chain.spans).map(({ span, depth }) => {
    const from = Math.min(width - 1, Math.floor((startOf(span) / totalMs) * width));
    const length = Math.max(1, Math.min(width - from, Math.round((span.durationMs / totalMs) * width)));
    return {
      name: `${'  '.repeat(Math.min(depth, shownDepth))}${span.name}`,
      startMs: startOf(span),
      durationMs: span.durationMs,
      failed: span.failed,
      bar: `${' '.repeat(from)}${'█'.repeat(length)}`.padEnd(width),
    };
  });
}

interface PlacedSpan {
  readonly span: ChainSpan;
  /** How many parents are above it. */
  readonly depth: number;
}

/** Parents before their children, both in the order of their start; a span whose parent is not known is a root. */
function inTree(spans: readonly ChainSpan[]): readonly PlacedSpan[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentSpanId }) =>
    parentSpanId !== undefined && known.has(parentSpanId) ? parentSpanId : undefined,
  );
  const placed: PlacedSpan[] = [];
  // Those to be placed, the next one last. A loop, because a chain may be deeper than the stack.
  const waiting = under(undefined, 0);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    placed.push(next);
    for (const child of under(next.span.spanId, next.depth + 1)) waiting.push(child);
  }
  return placed;

  function under(parent: string | undefined, depth: number): PlacedSpan[] {
    return (children.get(parent) ?? []).map(span => ({ span, depth })).toReversed();
  }
}
