// The spans of one trace as people draw them: one line per span, children below their parent and indented,
// in the order in which they were started. Queries are left out; they are not what a journey promises.
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { startPosition } from './record-spans.ts';

const indent = '  ';

/** A span whose parent is not among them stands at the margin, so that a torn trace shows. */
export function treeOf(spans: readonly ReadableSpan[]): string[] {
  const shown = spans
    .filter(span => !span.name.startsWith('pg'))
    .toSorted((left, right) => startPosition(idOf(left)) - startPosition(idOf(right)));
  const ids = new Set(shown.map(idOf));
  const isTop = (span: ReadableSpan): boolean => !ids.has(span.parentSpanContext?.spanId ?? '');

  const linesOf = (span: ReadableSpan, depth: number): string[] => [
    indent.repeat(depth) + span.name,
    ...shown
      .filter(other => other.parentSpanContext?.spanId === idOf(span))
      .flatMap(child => linesOf(child, depth + 1)),
  ];
  return shown.filter(isTop).flatMap(span => linesOf(span, 0));
}

function idOf(span: ReadableSpan): string {
  return span.spanContext().spanId;
}
