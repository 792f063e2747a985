// The script of the demo, data only: what the user does, and how each update must end. It shows the way to a
// picture and the four things that go wrong most: a text that does not fit, a tap that comes too late, a supplier
// that fails, and trying again.
import type { Expectation } from './completeness.ts';

export interface Act {
  /** The text that is sent, or the label of the button that is tapped. */
  readonly says?: string;
  readonly taps?: string;
  /** What is special about it, for the one who watches. */
  readonly note?: string;
  readonly expected: Expectation;
}

export interface Step {
  /** Acts of one moment: the bot has not answered the first when the second comes. */
  readonly acts: readonly Act[];
  /** KIE.ai will fail the generation that this step starts. */
  readonly supplierFails?: boolean;
}

const accepted = { reason: 'SUCCESS' } as const;

function says(text: string, expected: Partial<Expectation> = accepted, note = ''): Act {
  const kind = text.startsWith('/') ? 'command' : 'text';
  return { says: text, note, expected: { kind, ...accepted, ...expected } };
}

function taps(label: string, expected: Partial<Expectation> = accepted, note = ''): Act {
  return { taps: label, note, expected: { kind: 'tap', ...accepted, ...expected } };
}

export const script: readonly Step[] = [
  { acts: [says('/start')] },
  { acts: [taps('🎨 Pictures')] },
  { acts: [taps('Z-Image')] },
  { acts: [taps('✨ Create')] },
  { acts: [says('hm', { reason: 'VALIDATION_FAILED' }, 'too short')] },
  { acts: [says('A lighthouse in a storm, painted with a broad brush')] },
  {
    acts: [
      taps('16:9'),
      taps('1:1', { reason: 'STATE_MISMATCH' }, 'a second button, before the first tap was answered'),
    ],
  },
  { acts: [taps('🚀 Run', { task: { delivers: 'result', reason: 'SUCCESS' } })] },
  { acts: [taps('🔁 Once more')] },
  { acts: [says('The same lighthouse on a calm morning')] },
  { acts: [taps('1:1')] },
  {
    acts: [
      taps('🚀 Run', { task: { delivers: 'failure', reason: 'DOWNSTREAM_ERROR' } }, 'and KIE.ai will fail'),
    ],
    supplierFails: true,
  },
];
