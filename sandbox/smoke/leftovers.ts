// What must hold when everything is over, whatever was done: each update has exactly one outcome, each tap was answered
// once, the silence guard had nothing to do, and each button of the registry was accepted on each screen that bears it.
// Pure: looks at all chains and says in words what is not so.
import { type ButtonName, buttons } from '../../src/ui/registry.ts';
import type { ScreenId } from '../../src/ui/screens.ts';
import type { EventLine } from '../stage/event-log.ts';

type Chain = readonly EventLine[];

const outcomes: ReadonlySet<string> = new Set(['DISPATCH_OK', 'DISPATCH_FAIL', 'UPDATE_DUPLICATE']);

/** Whether an update has come to its end. Other chains have none. */
export function hasOutcome(chain: Chain): boolean {
  return !isOfUpdate(chain) || outcomesOf(chain) > 0;
}

export function unfinishedUpdates(chains: readonly Chain[]): string[] {
  return chains.filter(isOfUpdate).flatMap(chain => {
    const [first] = chain;
    const count = outcomesOf(chain);
    const answers = chain.filter(({ name }) => name === 'ANSWER_CALLBACK_QUERY').length;
    const named = `cid=${first?.cid} (${String(first?.event_type)})`;
    return [
      ...(count === 1 ? [] : [`${named}: the update has ${count} outcomes, not one`]),
      ...(isOfTap(chain) && answers !== 1 ? [`${named}: the tap has ${answers} answers, not one`] : []),
      ...(chain.some(({ name }) => name === 'SILENCE_GUARD_WARNING')
        ? [`${named}: the silence guard had to step in`]
        : []),
    ];
  });
}

/** The buttons of the registry that were never accepted on a screen that bears them. */
export function untouchedButtons(chains: readonly Chain[]): string[] {
  const touched = touchedButtons(chains);
  return placesOfButtons()
    .filter(({ screen, button }) => !touched.has(placeName(screen, button)))
    .map(({ screen, button }) => `the button ${button} was never pressed on ${screen}`);
}

/** `<screen> <button>` of every tap that was accepted. */
function touchedButtons(chains: readonly Chain[]): ReadonlySet<string> {
  return new Set(
    chains
      .flat()
      .filter(({ name }) => name === 'CALLBACK_ACCEPTED')
      .map(line => placeName(String(line.screen_id), String(line.action_id))),
  );
}

export function placeName(screen: string, button: string): string {
  return `${screen} ${button}`;
}

/** Each button with each screen that bears it. */
export function placesOfButtons(): { readonly screen: ScreenId; readonly button: ButtonName }[] {
  // SAFETY: the registry has its own keys.
  const names = Object.keys(buttons) as ButtonName[];
  return names.flatMap(button => buttons[button].from.map((screen: ScreenId) => ({ screen, button })));
}

/** Of an update that a PASSIVE instance refuses the refusal is the end. */
function outcomesOf(chain: Chain): number {
  return chain.filter(
    line =>
      outcomes.has(line.name) || (line.name === 'CALLBACK_REJECTED' && line.reason_code === 'PASSIVE_REJECT'),
  ).length;
}

function isOfUpdate(chain: Chain): boolean {
  return chain.some(({ name }) => name === 'UPDATE_RECEIVED');
}

function isOfTap(chain: Chain): boolean {
  return chain.some(line => line.name === 'UPDATE_RECEIVED' && line.event_type === 'callback_query');
}
