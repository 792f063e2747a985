// Chains as the bot emits them, made by hand.
import type { EventLine } from '../../../sandbox/stage/event-log.ts';

export function event(name: string, fields: Record<string, string | number> = {}): EventLine {
  return { ts: '2026-01-01T00:00:00.000Z', level: 'INFO', cid: 'a1b2c3d4', name, ...fields };
}

const intake = (eventType: string): EventLine[] => [
  event('UPDATE_RECEIVED', { event_type: eventType }),
  event('QUEUE_ENQUEUE'),
  event('QUEUE_PICK'),
  event('DISPATCH_START'),
];

const success = { reason_code: 'SUCCESS' };

/** The tap on the button of the menu that shows the help. */
export const helpTap: readonly EventLine[] = [
  ...intake('callback_query'),
  event('CALLBACK_RECEIVED'),
  event('CALLBACK_ROUTED'),
  event('CALLBACK_ACCEPTED', { ...success, screen_id: 'MAIN_MENU', action_id: 'help' }),
  event('ANSWER_CALLBACK_QUERY', { result: 'accepted' }),
  event('UI_RENDER', { screen_id: 'HELP' }),
  event('DISPATCH_OK', success),
];

export const helpCommand: readonly EventLine[] = [
  ...intake('command'),
  event('COMMAND_RECEIVED'),
  event('COMMAND_START'),
  event('UI_RENDER', { screen_id: 'HELP' }),
  event('DISPATCH_OK', success),
];

export const without = (chain: readonly EventLine[], name: string): EventLine[] =>
  chain.filter(line => line.name !== name);
