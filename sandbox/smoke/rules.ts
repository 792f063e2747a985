// Every rule of the bot broken once, data only: where the user stands, what is done there, and how it must be refused.
import { encodeButton } from '../../src/ui/codec.ts';
import { type Expected, refusedCommand, refusedMessage, refusedTap } from './expected.ts';
import type { Visitor } from './visitor.ts';
import * as places from './ways.ts';
import { failedRun, press, refusedScreen, type Step, say, start, tapInPassing, unsentRun } from './ways.ts';
import { disabledModel, pictureModel, type World } from './world.ts';

export interface Rule {
  readonly what: string;
  readonly place: readonly Step[];
  readonly step: Step;
}

const routed = 'CALLBACK_ROUTED';
const recovered = [routed, 'UI_RENDER'] as const;

function broken(
  what: string,
  place: readonly Step[],
  expected: Expected,
  action: (visitor: Visitor, world: World) => ReturnType<ReturnType<Step['action']>>,
): Rule {
  return { what, place, step: { what, expected, action: world => visitor => action(visitor, world) } };
}

const forged = (what: string, place: readonly Step[], data: string, expected: Expected): Rule =>
  broken(what, place, expected, visitor => visitor.forge(data));

const said = (what: string, place: readonly Step[], text: string, expected: Expected): Rule =>
  broken(what, place, expected, ({ user }) => user.say(text));

const step = (what: string, place: readonly Step[], done: Step): Rule => ({
  what,
  place,
  step: { ...done, what },
});

const invalid = refusedMessage('VALIDATION_FAILED');

export const rules: readonly Rule[] = [
  forged(
    'a button of another screen',
    places.atMenu,
    encodeButton('create', [pictureModel.key]),
    refusedTap('STATE_MISMATCH', routed),
  ),
  forged(
    'a button of an older version',
    places.atMenu,
    'v0:menu',
    refusedTap('EXPIRED_MESSAGE', 'UI_RENDER'),
  ),
  forged('a button that nobody knows', places.atMenu, 'test:unknown', refusedTap('UNKNOWN_CALLBACK')),
  forged('damaged button data', places.atMenu, 'v1:mod', refusedTap('CALLBACK_PARSE_ERROR')),
  forged(
    'a choice that does not exist',
    places.atMenu,
    'v1:cat:nosuch',
    refusedTap('UNKNOWN_ACTION', routed),
  ),
  forged(
    'the draft of somebody else',
    places.atConfirm,
    encodeButton('generate', ['AAAAAAAA', 3]),
    refusedTap('STATE_MISMATCH', routed),
  ),
  forged(
    'the task of somebody else',
    [...places.atConfirm, press('generate')],
    encodeButton('original', ['AAAAAAAA']),
    refusedTap('UNKNOWN_ACTION', routed),
  ),
  forged(
    'a model that is switched off',
    places.atShelf,
    encodeButton('model', [disabledModel.key]),
    refusedTap('MODEL_DISABLED', routed),
  ),
  broken(
    'a message that nobody knows of',
    places.atMenu,
    refusedTap('EXPIRED_MESSAGE', ...recovered),
    visitor => visitor.forge(encodeButton('menu', []), 4_242),
  ),
  broken(
    'a message of two days ago',
    places.atMenu,
    refusedTap('EXPIRED_MESSAGE', ...recovered),
    async (visitor, { query }) => {
      await query(`update messages set rendered_at = rendered_at - interval '49 hours' where chat_id = $1`, [
        visitor.user.chatId,
      ]);
      return visitor.press('help');
    },
  ),
  broken(
    'a button of a form that has moved on',
    places.atConfirm,
    refusedTap('STATE_MISMATCH', ...recovered),
    visitor => {
      const old = visitor.user
        .messages()
        .find(({ keyboard }) => keyboard.flat().some(({ data }) => data?.startsWith('v1:cancel:')));
      const data = old?.keyboard.flat().find(button => button.data?.startsWith('v1:cancel:'))?.data;
      return visitor.forge(data ?? '', old?.messageId);
    },
  ),
  broken('a double tap', places.atConfirm, refusedTap('DUPLICATE_ACTION', routed), visitor => {
    visitor.press('generate');
    return visitor.press('generate');
  }),
  broken(
    'an old quote',
    places.atConfirm,
    refusedTap('EXPIRED_MESSAGE', ...recovered),
    async (visitor, { query }) => {
      await query(
        `update sessions set form = jsonb_set(form, '{quote,at}', '"2020-01-01T00:00:00.000Z"') where chat_id = $1`,
        [visitor.user.chatId],
      );
      return visitor.press('generate');
    },
  ),
  step(
    'too little money',
    places.atDearConfirm,
    press('generate', undefined, refusedTap('BALANCE_INSUFFICIENT', routed)),
  ),
  forged(
    'a button of administrators',
    places.atMenu,
    encodeButton('debugOn', []),
    refusedTap('PERMISSION_DENIED', routed),
  ),
  said('a command of administrators', places.atMenu, '/debug', refusedCommand('PERMISSION_DENIED')),
  said('an unknown command', places.atMenu, '/nosuch', refusedCommand('UNKNOWN_ACTION')),
  said('a text that is too short', places.atQuestion, 'ab', invalid),
  said('a text that is too long', places.atQuestion, 'overlong '.repeat(112), invalid),
  broken('a picture instead of a text', places.atQuestion, invalid, ({ user }) => user.sendPhoto()),
  said('a text instead of a choice', places.atChoice, 'wide as the sea', invalid),
  said('words instead of a number', places.atNumber, 'plenty', invalid),
  said('a number that is too large', places.atNumber, '99', invalid),
  said('words instead of a picture', places.atFile, 'my cat', invalid),
  broken('a film instead of a picture', places.atFile, invalid, ({ user }) => user.sendVideo()),
  broken('a picture that is too big', places.atFile, invalid, ({ user }) =>
    user.sendDocument(undefined, {
      fileName: 'a.png',
      mimeType: 'image/png',
      declaredBytes: 11 * 1024 * 1024,
    }),
  ),
  said('a link into a private network', places.atFile, 'http://10.0.0.7/a.png', invalid),
  said('a text after the last question', places.atConfirm, 'one more wish', refusedMessage('STATE_MISMATCH')),
  broken(
    'a picture that nobody asked for',
    places.atMenu,
    { kind: 'message', reason: 'NOOP', also: ['UI_RENDER'] },
    ({ user }) => user.sendPhoto(),
  ),
  step(
    'a second report within ten minutes',
    [start, press('help'), press('report')],
    say('/report', { kind: 'command', reason: 'RATE_LIMIT', also: ['COMMAND_START'] }),
  ),
  step('a tap while no instance works', places.atMenu, tapInPassing),
  step('KIE.ai fails', places.atConfirm, failedRun({ at: 'outcome', does: 'fail', failCode: '500' })),
  step('KIE.ai rejects the content', places.atConfirm, failedRun({ at: 'outcome', does: 'reject-content' })),
  step('KIE.ai has lost the file', places.atConfirm, unsentRun),
  step('Telegram refuses the screen', places.atMenu, refusedScreen),
  broken(
    'a user blocks the bot',
    places.atMenu,
    { events: ['UPDATE_RECEIVED', 'QUEUE_ENQUEUE', 'QUEUE_PICK', 'DISPATCH_OK'], reason: 'SUCCESS' },
    ({ user }) => user.block(),
  ),
];
