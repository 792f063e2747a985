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
}

interface CommandDefinition {
  readonly to: readonly ScreenId[];
}

const define = <const B extends Record<string, ButtonDefinition>>(buttons: B): B => buttons;

const modelKey = z.string().regex(/^[a-z0-9]{1,8}$/);
const draftId = z.string().regex(/^[A-Za-z0-9_-]{4,16}$/);
const integer = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);

export const buttons = define({
  category: {
    code: 'cat',
    args: z.tuple([z.string().regex(/^[a-z]{1,12}$/)]),
    id: ([category]) => `CAT_${String(category).toUpperCase()}`,
    from: ['MAIN_MENU'],
    to: ['CATEGORY_PICK'],
  },
  model: {
    code: 'mod',
    args: z.tuple([modelKey]),
    id: ([key]) => `MODEL_${String(key).toUpperCase()}`,
    from: ['CATEGORY_PICK'],
    to: ['MODEL_PICK'],
  },
  create: {
    code: 'new',
    args: z.tuple([modelKey]),
    id: 'CREATE',
    from: ['MODEL_PICK'],
    to: ['PARAMS_FORM'],
  },
  choose: {
    code: 'opt',
    args: z.tuple([draftId, integer, integer]),
    id: ([, , index]) => `PARAM_${index}`,
    from: ['PARAMS_FORM'],
    to: ['PARAMS_FORM', 'CONFIRM'],
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
    id: 'RETRY',
    from: ['RESULT', 'RESULT_ERROR'],
    to: ['PARAMS_FORM'],
  },
  back: {
    code: 'back',
    args: z.tuple([]),
    id: 'BACK',
    from: ['CATEGORY_PICK', 'MODEL_PICK', 'HELP', 'UPDATING'],
    to: ['MAIN_MENU', 'CATEGORY_PICK', 'PARAMS_FORM', 'CONFIRM'],
  },
  previous: {
    code: 'prev',
    args: z.tuple([draftId, integer]),
    id: 'BACK',
    from: ['PARAMS_FORM', 'CONFIRM'],
    to: ['MODEL_PICK', 'PARAMS_FORM'],
    draft: true,
  },
  cancel: {
    code: 'cancel',
    args: z.tuple([draftId, integer]),
    id: 'CANCEL',
    from: ['PARAMS_FORM', 'CONFIRM'],
    to: ['MAIN_MENU'],
    draft: true,
  },
  menu: {
    code: 'menu',
    args: z.tuple([]),
    id: 'MAIN_MENU',
    from: ['MODEL_PICK', 'PROCESSING', 'RESULT', 'RESULT_ERROR', 'HELP'],
    to: ['MAIN_MENU'],
  },
  help: {
    code: 'help',
    args: z.tuple([]),
    id: 'HELP',
    from: ['MAIN_MENU', 'CATEGORY_PICK', 'PROCESSING', 'RESULT_ERROR'],
    to: ['HELP'],
  },
});

export const commands = {
  start: { to: ['MAIN_MENU'] },
  help: { to: ['HELP'] },
  cancel: { to: ['MAIN_MENU'] },
} as const satisfies Record<string, CommandDefinition>;

/** Where a typed answer to a form's question may lead. */
export const textInput = { to: ['PARAMS_FORM', 'CONFIRM'] } as const satisfies CommandDefinition;
/** Where a message that nobody asked for leads, and what a click that cannot be recovered shows. */
export const fallback = { to: ['MAIN_MENU', 'PARAMS_FORM', 'CONFIRM'] } as const satisfies CommandDefinition;

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
