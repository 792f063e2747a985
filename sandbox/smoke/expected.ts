// What must come of a step, and whether it has: the events of its chain, each as often as it must be there, its reason,
// the screens it leads from and to. Pure: looks at the events of one cid and says in words what is wrong.
import type { EventName } from '../../src/otel/events.ts';
import type { ReasonCode } from '../../src/otel/reasons.ts';
import { type ButtonName, buttons, type CommandName, commands } from '../../src/ui/registry.ts';
import type { ScreenId } from '../../src/ui/screens.ts';
import { type Expectation, incompleteness, isOver } from '../stage/completeness.ts';
import type { EventLine } from '../stage/event-log.ts';

/** The whole story of an update that is worked to its end. */
export interface ExpectedStory extends Expectation {
  /** Where the button was tapped. */
  readonly from?: ScreenId;
  /** One of them is shown. */
  readonly to?: readonly ScreenId[];
}

/** Events that are all there, one of them with the reason: for what ends otherwise than by its own handler. */
export interface ExpectedEvents {
  readonly events: readonly EventName[];
  readonly reason: ReasonCode;
}

export type Expected = ExpectedStory | ExpectedEvents;

const rendered = ['UI_RENDER'] as const;

/** What each button promises beside its own screens. */
const besides: { readonly [B in ButtonName]?: Partial<ExpectedStory> } = {
  generate: { task: { delivers: 'result', reason: 'SUCCESS' } },
  original: { also: ['CALLBACK_ROUTED', 'RESULT_DELIVERED'] },
  report: { also: ['CALLBACK_ROUTED', 'PROBLEM_REPORTED'] },
};

/** A button that does what the registry says of it. */
export function pressed(name: ButtonName, from?: ScreenId): ExpectedStory {
  const to: readonly ScreenId[] = buttons[name].to;
  const shows = to.length > 0;
  return {
    kind: 'tap',
    reason: shows ? 'SUCCESS' : 'NOOP',
    also: ['CALLBACK_ROUTED', ...(shows ? rendered : [])],
    ...(from === undefined ? {} : { from }),
    ...(shows ? { to } : {}),
    ...besides[name],
  };
}

export function refusedTap(reason: ReasonCode, ...also: EventName[]): ExpectedStory {
  return { kind: 'tap', reason, also };
}

export function commanded(name: CommandName, ...also: EventName[]): ExpectedStory {
  const to: readonly ScreenId[] = commands[name].to;
  const shows = to.length > 0 ? { to } : {};
  return {
    kind: 'command',
    reason: 'SUCCESS',
    also: ['COMMAND_START', ...(to.length > 0 ? rendered : []), ...also],
    ...shows,
  };
}

/** Below the refusal the user is shown where to go on. */
export function refusedCommand(reason: ReasonCode): ExpectedStory {
  return { kind: 'command', reason, also: ['COMMAND_REJECTED', ...rendered] };
}

export function answered(...to: ScreenId[]): ExpectedStory {
  return { kind: 'message', reason: 'SUCCESS', also: rendered, to };
}

/** A message whose user reads what is wrong with it; the screen stays. */
export function refusedMessage(reason: ReasonCode): ExpectedStory {
  return { kind: 'message', reason };
}

/** True when nothing more is to come. */
export function isDone(chain: readonly EventLine[], expected: Expected): boolean {
  if (!('events' in expected)) return isOver(chain, expected);
  return expected.events.every(name => chain.some(line => line.name === name));
}

/** What is wrong with the chain, a sentence each; empty when it is as expected. */
export function problemsOf(chain: readonly EventLine[], expected: Expected): string[] {
  if (chain.length === 0) return ['the bot has not received the update: UPDATE_RECEIVED is missing'];
  return 'events' in expected
    ? missingEvents(chain, expected)
    : [...incompleteness(chain, expected), ...wrongScreens(chain, expected)];
}

/** The expectation in a few words. */
export function describe(expected: Expected): string {
  if ('events' in expected) return `${expected.reason}, ${expected.events.at(-1)}`;
  const { reason, task, to } = expected;
  if (task) return task.delivers === 'result' ? `${reason}, delivered` : `${reason}, then ${task.reason}`;
  return to === undefined ? reason : `${reason} → ${to.join(' | ')}`;
}

function missingEvents(chain: readonly EventLine[], { events, reason }: ExpectedEvents): string[] {
  const missing = events.filter(name => !chain.some(line => line.name === name));
  return [
    ...missing.map(name => `${name} is missing`),
    ...(chain.some(line => line.reason_code === reason) ? [] : [`no event has reason_code=${reason}`]),
  ];
}

function wrongScreens(chain: readonly EventLine[], { from, to }: ExpectedStory): string[] {
  const tapped = chain.find(({ name }) => name === 'CALLBACK_ACCEPTED');
  const shown = chain.find(({ name }) => name === 'UI_RENDER');
  const problems: string[] = [];
  if (from !== undefined && tapped && tapped.screen_id !== from)
    problems.push(`it was tapped on ${String(tapped.screen_id)}, not on ${from}`);
  if (to !== undefined && shown && !to.some(screen => screen === shown.screen_id))
    problems.push(`it leads to ${String(shown.screen_id)}, not to ${to.join(' | ')}`);
  return problems;
}
