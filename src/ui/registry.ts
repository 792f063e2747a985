// The map of the bot, data only: every button, the screens it may stand on and lead to, and every
// command. A button without a handler, a handler without a button, or a handler that returns a screen its
// button does not lead to is a compile error (see outcome.ts and handlers/index.ts).
import { z } from 'zod';
import { categories } from '../catalogue/schema.ts';
import type { ScreenId } from './screens.ts';

interface ButtonDefinition {
  /** Stands in callback_data: short, stable, never reused. */
  readonly code: string;
  /** Parsed from the colon-separated strings of callback_data. */
  readonly args: z.ZodTuple;
  /** The name of one concrete button in telemetry, such as CAT_IMAGE. */
  readonly id: string | ((args: readonly (string | number)[]) => string);
  readonly from: readonly ScreenId[];
  readonly to: readonly ScreenId[];
  /** The first two arguments are the draft and its revision, and must be the user's current form. */
  readonly draft?: true;
  /** Only administrators may tap it, whatever a modified client sends. */
  readonly admin?: true;
  /**
   * Works under a message of any age, and of one that we have no record of: it was sent when nothing could be stored.
   * For what neither changes anything nor depends on the screen.
   */
  readonly lasting?: true;
}

interface CommandDefinition {
  readonly to: readonly ScreenId[];
  readonly admin?: true;
}

const define = <const B extends Record<string, ButtonDefinition>>(buttons: B): B => buttons;

const modelKey = z.string().regex(/^[a-z0-9]{1,8}$/);
const categoryName = z.string().regex(/^[a-z]{1,12}$/);
const draftId = z.string().regex(/^[A-Za-z0-9_-]{4,16}$/);
const taskId = z.string().regex(/^[A-Za-z0-9_-]{4,32}$/);
const cid = z.string().regex(/^[0-9a-f]{8}$/);
const onOrOff = z.string().regex(/^(on|off)$/);
const integer = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);

/** Wherever a form may stand after one more step. */
const formScreens = ['PARAMS_FORM', 'OPTIONS', 'CONFIRM'] as const;

export const buttons = define({
  category: {
    code: 'cat',
    args: z.tuple([categoryName]),
    id: ([category]) => `CAT_${String(category).toUpperCase()}`,
    from: ['MAIN_MENU'],
    to: ['CATEGORY_PICK'],
  },
  page: {
    code: 'page',
    args: z.tuple([categoryName, integer]),
    id: ([, page]) => `PAGE_${page}`,
    from: ['CATEGORY_PICK'],
    to: ['CATEGORY_PICK'],
  },
  best: { code: 'best', args: z.tuple([]), id: 'BEST', from: ['MAIN_MENU'], to: ['BEST'] },
  free: { code: 'free', args: z.tuple([]), id: 'FREE', from: ['MAIN_MENU'], to: ['FREE'] },
  search: { code: 'find', args: z.tuple([]), id: 'SEARCH', from: ['MAIN_MENU'], to: ['SEARCH'] },
  balance: {
    code: 'bal',
    args: z.tuple([]),
    id: 'BALANCE',
    from: ['MAIN_MENU', 'CONFIRM', 'RESULT_ERROR'],
    to: ['BALANCE'],
  },
  model: {
    code: 'mod',
    args: z.tuple([modelKey]),
    id: ([key]) => `MODEL_${String(key).toUpperCase()}`,
    from: ['CATEGORY_PICK', 'BEST', 'FREE', 'SEARCH'],
    to: ['MODEL_PICK'],
  },
  create: {
    code: 'new',
    args: z.tuple([modelKey]),
    id: 'CREATE',
    from: ['MODEL_PICK'],
    to: formScreens,
  },
  choose: {
    code: 'opt',
    args: z.tuple([draftId, integer, integer]),
    id: ([, , index]) => `PARAM_${index}`,
    from: ['PARAMS_FORM'],
    to: formScreens,
    draft: true,
  },
  done: {
    code: 'done',
    args: z.tuple([draftId, integer]),
    id: 'DONE',
    from: ['PARAMS_FORM'],
    to: formScreens,
    draft: true,
  },
  clear: {
    code: 'clr',
    args: z.tuple([draftId, integer]),
    id: 'CLEAR',
    from: ['PARAMS_FORM'],
    to: formScreens,
    draft: true,
  },
  edit: {
    code: 'edit',
    args: z.tuple([draftId, integer, integer]),
    id: ([, , index]) => `EDIT_${index}`,
    from: ['OPTIONS'],
    to: ['PARAMS_FORM'],
    draft: true,
  },
  options: {
    code: 'opts',
    args: z.tuple([draftId, integer]),
    id: 'OPTIONS',
    from: ['CONFIRM'],
    to: ['OPTIONS'],
    draft: true,
  },
  proceed: {
    code: 'next',
    args: z.tuple([draftId, integer]),
    id: 'PROCEED',
    from: ['OPTIONS'],
    to: ['CONFIRM'],
    draft: true,
  },
  generate: {
    code: 'gen',
    args: z.tuple([draftId, integer]),
    id: 'CONFIRM_RUN',
    from: ['CONFIRM'],
    to: ['PROCESSING'],
    draft: true,
  },
  again: {
    code: 'again',
    args: z.tuple([modelKey]),
    id: 'AGAIN',
    from: ['RESULT'],
    to: formScreens,
  },
  retry: {
    code: 'retry',
    args: z.tuple([taskId]),
    id: 'RETRY',
    from: ['RESULT_ERROR'],
    to: formScreens,
  },
  original: { code: 'orig', args: z.tuple([taskId]), id: 'ORIGINAL', from: ['RESULT'], to: [] },
  redeliver: { code: 'send', args: z.tuple([taskId]), id: 'REDELIVER', from: ['RESULT_ERROR'], to: [] },
  back: {
    code: 'back',
    args: z.tuple([]),
    id: 'BACK',
    from: ['CATEGORY_PICK', 'MODEL_PICK', 'BALANCE', 'HELP', 'PRIVACY', 'UPDATING'],
    to: ['MAIN_MENU', 'CATEGORY_PICK', ...formScreens],
  },
  previous: {
    code: 'prev',
    args: z.tuple([draftId, integer]),
    id: 'BACK',
    from: formScreens,
    to: ['MODEL_PICK', ...formScreens],
    draft: true,
  },
  cancel: {
    code: 'cancel',
    args: z.tuple([draftId, integer]),
    id: 'CANCEL',
    from: formScreens,
    to: ['MAIN_MENU'],
    draft: true,
  },
  menu: {
    code: 'menu',
    args: z.tuple([]),
    id: 'MAIN_MENU',
    from: [
      'BEST',
      'FREE',
      'SEARCH',
      'MODEL_PICK',
      'PROCESSING',
      'RESULT',
      'RESULT_ERROR',
      'BALANCE',
      'HELP',
      'PRIVACY',
    ],
    to: ['MAIN_MENU'],
  },
  help: {
    code: 'help',
    args: z.tuple([]),
    id: 'HELP',
    from: ['MAIN_MENU', 'CATEGORY_PICK', 'PROCESSING', 'RESULT_ERROR'],
    to: ['HELP'],
  },
  report: {
    code: 'sos',
    args: z.tuple([]),
    id: 'REPORT',
    from: ['RESULT_ERROR', 'HELP', 'FAULT'],
    to: [],
    lasting: true,
  },
  privacy: {
    code: 'priv',
    args: z.tuple([]),
    id: 'PRIVACY',
    from: ['HELP', 'PRIVACY_ERASE'],
    to: ['PRIVACY'],
  },
  consent: {
    code: 'cons',
    args: z.tuple([onOrOff]),
    id: 'CONSENT',
    from: ['PRIVACY'],
    to: ['PRIVACY'],
  },
  exportData: { code: 'copy', args: z.tuple([]), id: 'EXPORT', from: ['PRIVACY'], to: [] },
  eraseAsk: { code: 'wipe', args: z.tuple([]), id: 'ERASE', from: ['PRIVACY'], to: ['PRIVACY_ERASE'] },
  erase: { code: 'wipeall', args: z.tuple([]), id: 'ERASE_ALL', from: ['PRIVACY_ERASE'], to: [] },
  debugShow: {
    code: 'dbg',
    args: z.tuple([cid]),
    id: 'DEBUG_SHOW',
    from: ['DEBUG', 'DEBUG_USER'],
    to: ['DEBUG_CHAIN'],
    admin: true,
  },
  debugCid: {
    code: 'dbgcid',
    args: z.tuple([]),
    id: 'DEBUG_CID',
    from: ['DEBUG', 'DEBUG_CHAIN', 'DEBUG_USER'],
    to: ['DEBUG'],
    admin: true,
  },
  debugOn: { code: 'dbgon', args: z.tuple([]), id: 'DEBUG_ON', from: ['DEBUG'], to: ['DEBUG'], admin: true },
  debugOff: {
    code: 'dbgoff',
    args: z.tuple([]),
    id: 'DEBUG_OFF',
    from: ['DEBUG'],
    to: ['DEBUG'],
    admin: true,
  },
  debugClose: {
    code: 'dbgx',
    args: z.tuple([]),
    id: 'DEBUG_CLOSE',
    from: ['DEBUG'],
    to: ['MAIN_MENU'],
    admin: true,
  },
});

export const commands = {
  start: { to: ['MAIN_MENU'] },
  balance: { to: ['BALANCE'] },
  help: { to: ['HELP'] },
  cancel: { to: ['MAIN_MENU'] },
  report: { to: [] },
  privacy: { to: ['PRIVACY'] },
  debug: { to: ['DEBUG', 'DEBUG_CHAIN', 'DEBUG_USER'], admin: true },
} as const satisfies Record<string, CommandDefinition>;

/** Where a typed answer to a form's question may lead; without a form it is looked for among the models. */
export const textInput = { to: ['SEARCH', ...formScreens] } as const satisfies CommandDefinition;
/** Where a file for a form may lead. */
export const fileInput = { to: formScreens } as const satisfies CommandDefinition;
/** Where a message leads that an administrator forwards. */
export const forwardInput = { to: ['DEBUG_USER'] } as const satisfies CommandDefinition;
/** Where a message that nobody asked for leads, and what a click that cannot be recovered shows. */
export const fallback = { to: ['MAIN_MENU', ...formScreens] } as const satisfies CommandDefinition;

export type ButtonName = keyof typeof buttons;
export type CommandName = keyof typeof commands;
export type ArgsOf<B extends ButtonName> = z.output<(typeof buttons)[B]['args']>;
export type ButtonTarget<B extends ButtonName> = (typeof buttons)[B]['to'][number];

/** Whether a value from outside is one of the catalogue's categories. */
export function isCategory(value: string): value is (typeof categories)[number] {
  return (categories as readonly string[]).includes(value);
}

/** The telemetry name of one concrete button. */
export function buttonId(name: ButtonName, args: readonly (string | number)[]): string {
  const { id } = buttons[name] as ButtonDefinition;
  return typeof id === 'string' ? id : id(args);
}
