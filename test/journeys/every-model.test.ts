// Every entry of the catalogue through the running bot, by data alone: a user finds the model, answers its questions
// as users do, is refused what does not fit, sees the price, and gets the result, while the stand-in of KIE.ai judges
// each order by the supplier's facts. Answers are made from the entry's numbers (test/pipeline/answers.ts).
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { BotMessage, SandboxUser } from '../../sandbox/telegram/index.ts';
import { formatMoney } from '../../src/billing/money-text.ts';
import { labelOf, questionOf, valueLabelOf } from '../../src/catalogue/labels.ts';
import type { MediaKind, Model, Parameter } from '../../src/catalogue/schema.ts';
import type { RawAnswer } from '../../src/pipeline/answer.ts';
import { allowedFor, type Problem, problems } from '../../src/pipeline/problem.ts';
import { createTexts } from '../../src/ui/texts.ts';
import { badAnswers, type GoodAnswer, goodAnswers, models } from '../pipeline/answers.ts';
import { factsOf, problemsOf } from '../pipeline/vendor-facts.ts';
import { type BotUnderTest, quickTimings, startBot } from '../support/bot.ts';
import { patienceMs } from '../support/patience.ts';
import {
  buttonsOf,
  canBeGiven,
  canBeSent,
  type FoundButton,
  findButton,
  give,
  giveInVain,
  nextScreen,
  press,
} from '../support/user-actions.ts';

const t = createTexts().for('en');
const locale = 'en';
const testCredits = 7;
const welcomeCredit = 900_000_000;

const unpriced = models.filter(({ price }) => price === undefined || price.confidence === 'low');
const offered = models.filter(({ enabled }) => enabled);

/** Parameters with the same limits are asked alike: what is wrong with an answer is tried once for each such kind. */
const kindsTried = new Set<string>();
/** Optional parameters are set once for each name and kind, by the first model that has them. */
const optionsOf = shareOutOptions();
const optionsSet = new Set<string>();
const problemsMet = new Set<Problem>();

let bot: BotUnderTest;
/** Files of each kind that the stand-in can fetch. */
let links: Readonly<Record<MediaKind, string>>;

beforeAll(async () => {
  bot = await startBot({
    environment: { WELCOME_CREDIT: String(welcomeCredit) },
    overrides: {
      timings: { ...quickTimings, startDelayMs: 20_000, waitLimitMs: 60_000, notFoundLimitMs: 60_000 },
    },
    prices: Object.fromEntries(unpriced.map(({ id }) => [id, testCredits])),
    kie: { stepMs: 5, credits: 10_000_000 },
  });
  const [image, video, audio] = await Promise.all(['image/png', 'video/mp4', 'audio/mpeg'].map(storedFile));
  if (!image || !video || !audio) throw new Error('the files have no addresses');
  links = { image, video, audio };
});

afterAll(async () => {
  await bot.stop();
  bot.telegram.assertHealthy();
});

test('there are entries to drive, with and without a price of their own', () => {
  expect(models.length).toBeGreaterThanOrEqual(120);
  expect(unpriced.length).toBeGreaterThan(0);
});

describe.concurrent('the model', () => {
  test.each(offered.map((model, index) => [model.id, model, index] as const))(
    '%s is found, filled in, paid, ordered and delivered',
    async (_id, model, turn) => {
      const user = bot.user();
      const card = await openModel(user, model, turn);
      expect(card.text).toContain(model.title);
      const journey = { model, user, turn, given: new Map<string, unknown>() };
      const filled = await fillIn(journey, await press(user, card, 'create', model.key));
      const confirmation = await settleOptions(journey, filled);
      const price = priceShown(confirmation, model);
      await press(user, confirmation, 'generate');
      await expectDelivered(journey, price);
    },
    60_000,
  );

  test.each(models.filter(({ enabled }) => !enabled).map(model => [model.id, model] as const))(
    '%s, which is switched off, is neither found nor opened',
    async (_id, model) => {
      const user = bot.user();
      const start = user.start();
      const menu = await nextScreen(user, start);
      const search = await press(user, menu, 'search');
      expect(search.text).toContain('Find a model');
      const found = await nextScreen(user, user.say(model.title));
      expect(findButton(found, 'model', model.key)).toBeUndefined();
      const answer = await user.answerOf(user.rawCallback(`v1:mod:${model.key}`), patienceMs);
      expect(answer.text).not.toBe('');
      expect(
        await bot.waitForLine(({ reason_detail }) => reason_detail === `${model.id}: disabled`),
      ).toMatchObject({
        name: 'CALLBACK_REJECTED',
        reason_code: 'MODEL_DISABLED',
      });
    },
  );
});

test('between them the models were given every option, and everything wrong that a client can send', () => {
  const options = offered.flatMap(({ parameters }) => parameters.filter(isOption));
  expect([...optionsSet].toSorted()).toEqual([...new Set(options.map(({ name }) => name))].toSorted());
  const byButtonOnly: readonly Problem[] = ['missing', 'no_files', 'one_of', 'not_together', 'nothing_asked'];
  const wanted = problems.filter(problem => !byButtonOnly.includes(problem));
  expect([...problemsMet].toSorted()).toEqual(wanted.toSorted());
});

test('no model has code of its own', async () => {
  const source = fileURLToPath(new URL('../../src', import.meta.url));
  const files = (await readdir(source, { recursive: true })).filter(
    file => file.endsWith('.ts') && !file.startsWith(`sandbox${path.sep}`),
  );
  expect(files.length).toBeGreaterThan(50);
  const names = new Set(models.flatMap(({ id, key, vendorModel, title }) => [id, key, vendorModel, title]));
  for (const file of files) {
    const text = await readFile(path.join(source, file), 'utf8');
    const literals = [...text.matchAll(/'([^'\n]*)'|"([^"\n]*)"|`([^`]*)`/g)].map(
      ([, single, double, template]) => single ?? double ?? template ?? '',
    );
    expect(
      literals.filter(literal => names.has(literal)),
      file,
    ).toEqual([]);
  }
});

interface Journey {
  readonly model: Model;
  readonly user: SandboxUser;
  /** Makes the models differ in what is given of all that is good. */
  readonly turn: number;
  /** What the supplier must get, by parameter; of files their number. */
  readonly given: Map<string, unknown>;
}

/** By the pages of its category, or by a search. */
async function openModel(user: SandboxUser, model: Model, turn: number): Promise<BotMessage> {
  const menu = await nextScreen(user, user.start());
  if (turn % 2 === 0) {
    await press(user, menu, 'search');
    const found = await nextScreen(user, user.say(model.title));
    return press(user, found, 'model', model.key);
  }
  let list = await press(user, menu, 'category', model.category);
  for (let page = 1; !findButton(list, 'model', model.key); page += 1)
    list = await press(user, list, 'page', model.category, page);
  return press(user, list, 'model', model.key);
}

/** Answers what must be answered, one question after the other. */
async function fillIn(journey: Journey, first: BotMessage): Promise<BotMessage> {
  const { model } = journey;
  const asked: string[] = [];
  const shown = await answerQuestions(journey, first, (parameter, { text }) => {
    expect(text).toMatch(new RegExp(`· step ${asked.push(parameter.name)} of \\d+$`, 'm'));
  });
  const mandatory = model.parameters.filter(({ required, advanced }) => required && !advanced);
  expect(asked).toEqual(expect.arrayContaining(mandatory.map(({ name }) => name)));
  expect(new Set(asked).size).toBe(asked.length);
  return shown;
}

/** Until something else is shown. Those of a kind that no model had before are answered wrongly first. */
async function answerQuestions(
  journey: Journey,
  first: BotMessage,
  look: (parameter: Parameter, shown: BotMessage) => void = () => undefined,
): Promise<BotMessage> {
  let shown = first;
  for (let parameter = askedIn(shown, journey.model); parameter; parameter = askedIn(shown, journey.model)) {
    look(parameter, shown);
    await giveEverythingWrong(journey, parameter, shown);
    shown = await giveGood(journey, parameter, shown, goodAnswers(parameter));
  }
  return shown;
}

async function giveGood(
  { model, user, turn, given }: Journey,
  parameter: Parameter,
  shown: BotMessage,
  all: readonly GoodAnswer[],
): Promise<BotMessage> {
  const possible = all.filter(
    ({ raw: [first], sent }) =>
      first !== undefined && canBeGiven(first, shown) && isPossible(model, given, parameter.name, sent),
  );
  const good = possible[turn % possible.length];
  if (!good) return expect.fail(`${model.id}: nothing can be given for ${parameter.name}`);
  given.set(parameter.name, Array.isArray(good.sent) ? good.sent.length : good.sent);
  return give(
    user,
    shown,
    good.raw.map(raw => fetchable(raw, parameter)),
  );
}

/** Each is refused with a hint that names what is allowed, and the question stands as it stood. */
async function giveEverythingWrong(
  { model, user }: Journey,
  parameter: Parameter,
  shown: BotMessage,
): Promise<void> {
  if (!isFirstOfItsKind(parameter)) return;
  for (const { raw, problem } of wrongAnswers(parameter)) {
    const { sent, hint } = await giveInVain(user, raw);
    problemsMet.add(problem);
    const allowed = allowedFor(problem, parameter);
    const what = `${model.id} ${parameter.name}: ${JSON.stringify(raw).slice(0, 200)}`;
    expect(hint.text, what).toBe(t(`hint-${problem.replaceAll('_', '-')}`, { allowed }));
    expect(user.messages().find(({ messageId }) => messageId === shown.messageId)?.text).toBe(shown.text);
    const refusal = bot.lines.findLast(
      ({ name, update_id }) => name === 'PARAM_VALIDATION_FAILED' && update_id === sent.updateId,
    );
    expect(refusal, what).toMatchObject({
      param_name: parameter.name,
      reason_code: 'VALIDATION_FAILED',
      hint_to_user: hint.text,
      allowed,
    });
  }
}

/** What a user can send and the form must refuse; a text of any length fits some models, but a film does not. */
function wrongAnswers(parameter: Parameter): { raw: RawAnswer; problem: Problem }[] {
  const film: RawAnswer = { kind: 'file', media: 'video', file: { from: 'telegram', fileId: 'none' } };
  const wrong = badAnswers(parameter).filter(({ raw }) => canBeSent(raw));
  return parameter.type === 'text' ? [...wrong, { raw: film, problem: 'not_a_text' }] : wrong;
}

function isFirstOfItsKind({
  name: _name,
  required: _required,
  requiredIf: _if,
  ...kind
}: Parameter): boolean {
  const limits = JSON.stringify(
    kind.type === 'choice' ? { ...kind, values: [], default: '' } : { ...kind, default: '' },
  );
  if (kindsTried.has(limits)) return false;
  kindsTried.add(limits);
  return true;
}

/** Sets what this model is to set of its options, and goes on to the confirmation. */
async function settleOptions(journey: Journey, first: BotMessage): Promise<BotMessage> {
  const { model, user } = journey;
  let shown = first;
  for (const name of optionsOf.get(model.id) ?? []) shown = await setOption(journey, shown, name);
  if (!findButton(shown, 'proceed')) return shown;
  const { atLeastOne } = model;
  if (atLeastOne && !atLeastOne.some(name => journey.given.has(name))) {
    await expectOneIsWanted(journey, shown, atLeastOne);
    shown = await setOption(journey, shown, atLeastOne[0] ?? '');
  }
  return press(user, shown, 'proceed');
}

async function setOption(journey: Journey, options: BotMessage, name: string): Promise<BotMessage> {
  const { model, user, given } = journey;
  const edit = editButton(options, model, name);
  const excluded = model.notTogether?.some(
    pair => pair.includes(name) && pair.some(other => given.has(other)),
  );
  // What belongs to a mode that is off has no button.
  if (!edit || excluded) return options;
  const question = await press(user, options, 'edit', ...edit.args.slice(2));
  const parameter = askedIn(question, model);
  if (parameter?.name !== name) return expect.fail(`${model.id}: ${edit.text} asks ${parameter?.name}`);
  await giveEverythingWrong(journey, parameter, question);
  const others = goodAnswers(parameter).filter(({ sent }) => sent !== defaultOf(parameter));
  const next = await giveGood(journey, parameter, question, others);
  optionsSet.add(name);
  // A mode that is switched on may ask for more.
  const shown = await answerQuestions(journey, next);
  expect(shown.text).toContain(shownLine(model, parameter, given.get(name)));
  return shown;
}

async function expectOneIsWanted(
  { model, user }: Journey,
  options: BotMessage,
  names: readonly string[],
): Promise<void> {
  const proceed = findButton(options, 'proceed');
  const answer = await user.answerOf(user.click({ data: proceed?.data ?? '' }), patienceMs);
  const parameters = names.map(name => labelOf(name, locale, model.category)).join(', ');
  expect(answer.text).toBe(t('hint-one-of', { parameters }).slice(0, 200));
}

async function expectDelivered({ model, user, given }: Journey, price: number): Promise<void> {
  const result = await user.waitForMessage(message => findButton(message, 'again') !== undefined, patienceMs);
  const [task] = await bot.database.query(
    `select tasks.state, model_id, model_version, vendor_task_id, (quote->>'kopecks')::int as quoted,
       holds.state as money, holds.amount::int as held
     from tasks join holds on holds.task_id = tasks.id where tasks.chat_id = $1`,
    [user.chatId],
  );
  expect(task).toMatchObject({
    state: 'succeeded',
    model_id: model.id,
    model_version: model.version,
    quoted: price,
    money: 'charged',
    held: price,
  });
  expect(
    await bot.database.query('select available::int, held::int from wallets where chat_id = $1', [
      user.chatId,
    ]),
  ).toEqual([{ available: welcomeCredit - price, held: 0 }]);
  const order = bot.kie.tasks().find(({ taskId }) => taskId === task?.vendor_task_id);
  if (!order) return expect.fail(`${model.id}: KIE.ai has no order of the task`);
  expect(order).toMatchObject({ api: model.api, model: model.vendorModel, output: model.output });
  expect(problemsOf(factsOf(model), order.input)).toEqual([]);
  expectGiven(model, given, order.input);
  expect(JSON.stringify(order.order)).not.toContain(bot.telegram.token);
  expect(result.text).toContain(model.title);
  const files = user.messages().filter(({ kind }) => kind === messageKinds[model.output]);
  expect(files).toHaveLength(order.results);
  for (const { fileBytes } of files) expect(fileBytes?.length).toBeGreaterThan(0);
}

const messageKinds = { image: 'photo', video: 'video', audio: 'audio' } as const;

/** What was given is sent, in the supplier's types; what was not given is a default or what the entry fixes. */
function expectGiven(
  model: Model,
  given: ReadonlyMap<string, unknown>,
  input: Readonly<Record<string, unknown>>,
): void {
  for (const [name, value] of given) {
    const parameter = model.parameters.find(other => other.name === name);
    if (parameter?.type !== 'files') {
      expect(input[name], name).toEqual(value);
      continue;
    }
    const addresses = [input[name]].flat();
    expect(Array.isArray(input[name]), name).toBe(parameter.list);
    expect(addresses, name).toHaveLength(typeof value === 'number' ? value : 1);
    for (const address of addresses) expect(address, name).toContain(`${bot.kie.uploadUrl}/`);
  }
  const known = new Set([...given.keys(), ...Object.keys(model.fixed ?? {})]);
  for (const [name, value] of Object.entries(input)) {
    const parameter = model.parameters.find(other => other.name === name);
    if (!known.has(name)) expect({ [name]: value }).toEqual({ [name]: parameter && defaultOf(parameter) });
  }
}

/** The parameter whose question stands on the screen; undefined where none is asked. */
function askedIn({ text }: BotMessage, model: Model): Parameter | undefined {
  if (!/· (?:step|setting) \d+ of \d+$/m.test(text)) return undefined;
  const lines = new Set(text.split('\n'));
  const asked = model.parameters.find(
    ({ name, advanced }) => !advanced && lines.has(questionOf(name, locale, model.category)),
  );
  return asked ?? expect.fail(`${model.id} asks what is none of its parameters: ${text}`);
}

/** Of parameters with the same label, in the order of the entry. */
function editButton(options: BotMessage, model: Model, name: string): FoundButton | undefined {
  const label = (of: string): string => t('button-edit', { label: labelOf(of, locale, model.category) });
  const twins = model.parameters.filter(other => !other.advanced && label(other.name) === label(name));
  const found = buttonsOf(options).filter(button => button.name === 'edit' && button.text === label(name));
  return found[twins.findIndex(other => other.name === name)];
}

function shownLine(model: Model, { name, type, ...limits }: Parameter, value: unknown): string {
  const unit = 'unit' in limits ? limits.unit : undefined;
  const label = labelOf(name, locale, model.category);
  if (type === 'files')
    return `${label}: ${t('files-count', { count: typeof value === 'number' ? value : 1 })}`;
  if (type === 'text') return `${label}: ${String(value).slice(0, 20)}`;
  const scalar = typeof value === 'boolean' || typeof value === 'number' ? value : String(value);
  return `${label}: ${valueLabelOf(name, scalar, locale, unit)}`;
}

/** The amount on the confirmation, in kopecks, which must be what the buttons of the model led to expect at least. */
function priceShown({ text }: BotMessage, model: Model): number {
  expect(text).toContain(`Model: ${model.title}`);
  const [, amount] =
    /^Price: (?:₽([\d,.]+)|free)\. Your balance: /m.exec(text) ?? expect.fail(`No price: ${text}`);
  const kopecks = Math.round(Number((amount ?? '0').replaceAll(',', '')) * 100);
  expect(text).toContain(kopecks === 0 ? 'Price: free' : `Price: ${formatMoney(kopecks, locale)}`);
  expect(text).toContain(`Your balance: ${formatMoney(welcomeCredit, locale)}`);
  if (unpriced.includes(model)) expect(kopecks).toBe(testCredits * 100);
  return kopecks;
}

/** Neither a combination that the entry excludes, nor one that has no price. */
function isPossible(
  model: Model,
  given: ReadonlyMap<string, unknown>,
  name: string,
  value: unknown,
): boolean {
  const defaults = model.parameters.map(parameter => [parameter.name, defaultOf(parameter)] as const);
  const values = new Map<string, unknown>([...defaults, ...given, [name, value]]);
  return !model.impossible?.some(combination =>
    Object.entries(combination).every(([other, wanted]) => values.get(other) === wanted),
  );
}

function defaultOf(parameter: Parameter): unknown {
  return parameter.type === 'files' ? undefined : parameter.default;
}

/** The stand-in has no way to the world: a link has to lead to itself. */
function fetchable(raw: RawAnswer, parameter: Parameter): RawAnswer {
  const isLink = parameter.type === 'files' && raw.kind === 'text';
  return isLink ? { kind: 'text', text: links[parameter.media] } : raw;
}

function isOption({ required, advanced }: Parameter): boolean {
  return !required && !advanced;
}

function shareOutOptions(): ReadonlyMap<string, readonly string[]> {
  const taken = new Set<string>();
  return new Map(
    offered.map(({ id, parameters }) => {
      const mine = parameters.filter(isOption).filter(({ requiredIf: _if, ...limits }) => {
        const kind = JSON.stringify(limits);
        const isNew = !taken.has(kind);
        taken.add(kind);
        return isNew;
      });
      return [id, mine.map(({ name }) => name)];
    }),
  );
}

/** Puts a file where the stand-in can fetch it, as a user puts one on a site. */
async function storedFile(mimeType: string): Promise<string> {
  const response = await request(`${bot.kie.uploadUrl}/api/file-base64-upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bot.kie.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      base64Data: `data:${mimeType};base64,${Buffer.from('anything').toString('base64')}`,
      uploadPath: 'test',
    }),
  });
  return z.object({ data: z.object({ downloadUrl: z.url() }) }).parse(await response.body.json()).data
    .downloadUrl;
}
