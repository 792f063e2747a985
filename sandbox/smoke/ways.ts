// The ways to every kind of screen, data only: what a new user does until it is there. The buttons that stand on it are
// pressed by the walk itself, and where they lead to a screen that is not named here it goes on from there: a way is
// needed only to where more than a press leads.
import type { ButtonName } from '../../src/ui/registry.ts';
import type { ScreenId } from '../../src/ui/screens.ts';
import type { OutcomeFault } from '../kie/faults.ts';
import { answered, commanded, type Expected, pressed } from './expected.ts';
import type { UserAction } from './visitor.ts';
import { dearModel, fileModel, pictureModel, settingsModel, type World } from './world.ts';

export interface Step {
  readonly what: string;
  readonly action: (world: World) => UserAction;
  readonly expected: Expected;
  /** Begins once the screen is stored, not only seen. False where the message is of no consequence. */
  readonly needsScreen?: false;
}

export interface Way {
  readonly screen: ScreenId;
  readonly steps: readonly Step[];
  /** Only administrators get there. */
  readonly admin?: true;
}

const prompt = 'A lighthouse in a storm, painted with a broad brush';

export const start: Step = {
  what: '/start',
  action:
    () =>
    ({ user }) =>
      user.start(),
  expected: commanded('start', 'BALANCE_TOPUP'),
  needsScreen: false,
};

export function press(name: ButtonName, last?: string | number, expected: Expected = pressed(name)): Step {
  return {
    what: last === undefined ? name : `${name} ${last}`,
    action: () => visitor => visitor.press(name, last),
    expected,
  };
}

export function say(text: string, expected: Expected): Step {
  return {
    what: `“${shorten(text)}”`,
    action:
      () =>
      ({ user }) =>
        user.say(text),
    expected,
  };
}

const debug = (text: `/debug${string}`): Step => ({
  ...say(text, commanded('debug')),
  needsScreen: false,
});

/** What is to happen before the step does what it does. */
function after(step: Step, happen: (world: World) => void): Step {
  return {
    ...step,
    action: world => {
      happen(world);
      return step.action(world);
    },
  };
}

const opened = ({ title, key }: { title: string; key: string }): Step[] => [
  start,
  say(title, answered('SEARCH')),
  press('model', key),
];
const asked = (model: { title: string; key: string }): Step[] => [...opened(model), press('create')];

export const atMenu: readonly Step[] = [start];
export const atShelf: readonly Step[] = [start, press('category', 'image')];
export const atQuestion: readonly Step[] = asked(pictureModel);
export const atChoice: readonly Step[] = [...atQuestion, say(prompt, answered('PARAMS_FORM'))];
export const atConfirm: readonly Step[] = [...atChoice, press('choose')];
const atSettings: readonly Step[] = [...asked(settingsModel), say(prompt, answered('OPTIONS'))];
export const atNumber: readonly Step[] = [...atSettings, press('edit', 1)];
export const atFile: readonly Step[] = asked(fileModel);
export const atDearConfirm: readonly Step[] = [
  ...asked(dearModel),
  say(prompt, answered('OPTIONS')),
  press('proceed'),
];

/** A tap while no instance works. */
export const tapInPassing: Step = {
  what: 'help, while no instance works',
  action:
    ({ instance }) =>
    async visitor => {
      instance.switchTo(false);
      return visitor.press('help');
    },
  expected: {
    events: ['UPDATE_RECEIVED', 'CALLBACK_REJECTED', 'ANSWER_CALLBACK_QUERY', 'PASSIVE_NOTICE'],
    reason: 'PASSIVE_REJECT',
  },
};

/** Run, and the generation ends as it is made to. */
export function failedRun(fault: OutcomeFault): Step {
  return after(
    press('generate', undefined, {
      ...pressed('generate'),
      task: {
        delivers: 'failure',
        reason: fault.does === 'reject-content' ? 'CONTENT_REJECTED' : 'DOWNSTREAM_ERROR',
      },
    }),
    ({ kie }) => kie.failNext(fault),
  );
}

const worked = ['UPDATE_RECEIVED', 'QUEUE_ENQUEUE', 'QUEUE_PICK', 'DISPATCH_START', 'DISPATCH_OK'] as const;
const ordered = ['CALLBACK_RECEIVED', 'CALLBACK_ACCEPTED', 'TASK_CREATED', 'BALANCE_HOLD'] as const;

const endlessRun = after(
  press('generate', undefined, { events: [...worked, ...ordered, 'TASK_PROGRESS'], reason: 'SUCCESS' }),
  ({ kie }) => kie.failNext({ at: 'outcome', does: 'never-finish' }),
);

/** KIE.ai has a result, but its file is not there. */
export const unsentRun = after(
  press('generate', undefined, {
    events: [
      ...worked,
      ...ordered,
      'TASK_COMPLETED',
      'BALANCE_CHARGE',
      'DELIVERY_FAILED',
      'RESULT_DELIVERED',
    ],
    reason: 'SUCCESS',
  }),
  ({ kie }) => kie.failNext({ at: 'file', does: 'miss' }),
);

/** A screen that Telegram refuses: the user is notified of the fault beneath the old one. */
export const refusedScreen = after(
  press('help', undefined, {
    events: ['QUEUE_PICK', 'CALLBACK_ACCEPTED', 'ANSWER_CALLBACK_QUERY', 'UI_RENDER', 'DISPATCH_FAIL'],
    reason: 'DOWNSTREAM_ERROR',
  }),
  ({ telegram }) => {
    const description = 'Bad Request: message text is not right';
    telegram.failNext({ method: 'editMessageText', kind: 'error', code: 400, description });
  },
);

export const ways: readonly Way[] = [
  { screen: 'MAIN_MENU', steps: atMenu },
  { screen: 'CATEGORY_PICK', steps: atShelf },
  { screen: 'BEST', steps: [start, press('best')] },
  { screen: 'FREE', steps: [start, press('free')] },
  { screen: 'SEARCH', steps: [start, press('search'), say(pictureModel.title, answered('SEARCH'))] },
  { screen: 'MODEL_PICK', steps: opened(pictureModel) },
  { screen: 'PARAMS_FORM', steps: atQuestion },
  { screen: 'PARAMS_FORM', steps: atChoice },
  {
    screen: 'PARAMS_FORM',
    steps: [...atNumber, say('5', answered('PARAMS_FORM', 'OPTIONS')), press('edit', 1)],
  },
  { screen: 'OPTIONS', steps: atSettings },
  { screen: 'CONFIRM', steps: atConfirm },
  { screen: 'PROCESSING', steps: [...atConfirm, endlessRun] },
  { screen: 'RESULT', steps: [...atConfirm, press('generate')] },
  {
    screen: 'RESULT_ERROR',
    steps: [...atConfirm, failedRun({ at: 'outcome', does: 'fail', failCode: '500' })],
  },
  { screen: 'RESULT_ERROR', steps: [...atConfirm, unsentRun] },
  { screen: 'BALANCE', steps: [start, press('balance')] },
  { screen: 'HELP', steps: [start, press('help')] },
  { screen: 'UPDATING', steps: [start, tapInPassing] },
  { screen: 'FAULT', steps: [start, refusedScreen] },
  { screen: 'DEBUG', steps: [debug('/debug')], admin: true },
  { screen: 'DEBUG_CHAIN', steps: [debug('/debug'), press('debugShow')], admin: true },
  { screen: 'DEBUG_USER', steps: [debug('/debug @smoke_visitor')], admin: true },
];

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
