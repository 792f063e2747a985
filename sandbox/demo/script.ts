// The script of the demo, data only: what the user does, and how each update must end. It shows the way to a
// picture, what it costs, and the four things that go wrong most: a text that does not fit, a tap that comes too
// late, a supplier that fails, and trying again; then a film made from the user's own picture.
import type { Expectation } from '../stage/completeness.ts';

export interface Act {
  /** The text that is sent, or the label of the button that is tapped. */
  readonly says?: string;
  readonly taps?: string | RegExp;
  /** A picture. */
  readonly sends?: 'picture';
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
  const kind = text.startsWith('/') ? 'command' : 'message';
  return { says: text, note, expected: { kind, ...accepted, ...expected } };
}

function taps(label: string | RegExp, expected: Partial<Expectation> = accepted, note = ''): Act {
  return { taps: label, note, expected: { kind: 'tap', ...accepted, ...expected } };
}

function sendsPicture(note: string): Act {
  return { sends: 'picture', note, expected: { kind: 'message', ...accepted } };
}

const delivered = { task: { delivers: 'result', reason: 'SUCCESS' } } as const;

export const script: readonly Step[] = [
  { acts: [says('/start', { also: ['BALANCE_TOPUP'] }, 'new users get a welcome credit')] },
  { acts: [taps('🎨 Pictures')] },
  { acts: [taps(/^Z-Image/)] },
  { acts: [taps('✨ Create')] },
  { acts: [says('hm', { reason: 'VALIDATION_FAILED' }, 'too short')] },
  { acts: [says('A lighthouse in a storm, painted with a broad brush')] },
  {
    acts: [
      taps('16:9'),
      taps('1:1', { reason: 'STATE_MISMATCH' }, 'a second button, before the first tap was answered'),
    ],
  },
  { acts: [taps('🚀 Run', delivered)] },
  { acts: [taps('📎 Original file', { reason: 'NOOP', also: ['RESULT_DELIVERED'] })] },
  { acts: [taps('🔁 Once more')] },
  { acts: [says('The same lighthouse on a calm morning')] },
  { acts: [taps('1:1')] },
  {
    acts: [
      taps('🚀 Run', { task: { delivers: 'failure', reason: 'DOWNSTREAM_ERROR' } }, 'and KIE.ai will fail'),
    ],
    supplierFails: true,
  },
  { acts: [taps('🔁 Try again', accepted, 'the same answers, at the price of now')] },
  { acts: [taps('🚀 Run', delivered)] },
  { acts: [says('hailuo from photo', accepted, 'without a form open, a text looks for a model')] },
  { acts: [taps(/^Hailuo 2\.3 Standard/)] },
  { acts: [taps('✨ Create')] },
  { acts: [says('The light turns, slowly, over the sea')] },
  { acts: [sendsPicture('the film begins with it; KIE.ai gets a copy, never the link of Telegram')] },
  { acts: [taps('▶️ Go on')] },
  { acts: [taps('🚀 Run', delivered)] },
  { acts: [says('/balance')] },
];
