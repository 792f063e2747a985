// Answers for any parameter: good ones with what the supplier must get for them, and bad ones with what is said
// about them. Made from the entry's numbers alone.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { z } from 'zod';
import { type Model, modelSchema, type Parameter, type ParameterOf } from '../../src/catalogue/schema.ts';
import type { FileReference, FormValues } from '../../src/catalogue/values.ts';
import { answer, type RawAnswer } from '../../src/pipeline/answer.ts';
import { currentStep, editParameter, type Form, goBack, proceed } from '../../src/pipeline/form.ts';
import { buildInput, filesOf } from '../../src/pipeline/payload.ts';
import type { Problem } from '../../src/pipeline/problem.ts';

/** Every entry of the catalogue. */
export const models: readonly Model[] = z
  .array(modelSchema)
  .parse(JSON.parse(readFileSync(new URL('../../src/catalogue/models.json', import.meta.url), 'utf8')));

export interface GoodAnswer {
  /** Given one after the other. */
  readonly raw: readonly RawAnswer[];
  /** What stands in the input under the parameter's name. */
  readonly sent: unknown;
}

export interface BadAnswer {
  readonly raw: RawAnswer;
  readonly problem: Problem;
  /** In the supplier's type, where the supplier's own facts may refuse it as well. */
  readonly sent?: unknown;
}

const text = (typed: string): RawAnswer => ({ kind: 'text', text: typed });

export function upload(parameter: ParameterOf<'files'>, changes: object = {}, groupId?: string): RawAnswer {
  const [mimeType] = parameter.mimeTypes ?? [];
  const file: FileReference = {
    from: 'telegram',
    fileId: `file-of-${parameter.name}`,
    ...(mimeType === undefined ? {} : { mimeType }),
    bytes: 1000,
    ...changes,
  };
  return { kind: 'file', media: parameter.media, file, groupId };
}

/** The address under which the supplier finds a file of the parameter. */
function addressOf(parameter: string, index: number): string {
  return `https://files.example/${parameter}/${index}`;
}

export function goodAnswers(parameter: Parameter): GoodAnswer[] {
  switch (parameter.type) {
    case 'text': {
      const [shortest, longest] = ['я'.repeat(parameter.minLength), '🐦'.repeat(parameter.maxLength)];
      return [
        { raw: [text(shortest)], sent: shortest },
        { raw: [text(`  ${longest}\n`)], sent: longest },
      ];
    }
    case 'choice':
      return parameter.values.flatMap((value, index) => [
        { raw: [{ kind: 'choice', index }], sent: value },
        { raw: [text(` ${value} `)], sent: value },
      ]);
    case 'switch':
      return [
        { raw: [{ kind: 'switch', on: true }], sent: true },
        { raw: [{ kind: 'switch', on: false }], sent: false },
        { raw: [text('Да')], sent: true },
        { raw: [text('no')], sent: false },
      ];
    case 'number': {
      const { min = -3, max = 12, whole, sentAsText } = parameter;
      return [min, max, whole ? min + 1 : (min + max) / 2].map(number => ({
        raw: [text(` ${number} `.replace('.', ','))],
        sent: sentAsText ? `${number}` : number,
      }));
    }
    case 'files':
      return goodFiles(parameter);
  }
}

function goodFiles(parameter: ParameterOf<'files'>): GoodAnswer[] {
  const { name, list, maxItems } = parameter;
  const sent = (count: number): unknown => {
    const addresses = Array.from({ length: count }, (_, index) => addressOf(name, index));
    return list ? addresses : addresses[0];
  };
  const done: RawAnswer = { kind: 'done' };
  const album = maxItems > 1 ? `album-of-${name}` : undefined;
  const one = maxItems > 1 && list ? [done] : [];
  return [
    { raw: [upload(parameter), ...one], sent: sent(1) },
    { raw: [text('https://pictures.example/a.png'), ...one], sent: sent(1) },
    // The last file that fits concludes the question by itself.
    {
      raw: Array.from({ length: maxItems }, () => upload(parameter, {}, album)),
      sent: sent(maxItems),
    },
  ];
}

export function badAnswers(parameter: Parameter): BadAnswer[] {
  switch (parameter.type) {
    case 'text': {
      const tooLong = 'я'.repeat(parameter.maxLength + 1);
      return [
        { raw: text('я'.repeat(parameter.minLength - 1)), problem: 'too_short' },
        { raw: text(' \0\ud800 '), problem: 'too_short' },
        { raw: text(tooLong), problem: 'too_long', sent: tooLong },
        { raw: { kind: 'done' }, problem: 'missing' },
      ];
    }
    case 'choice': {
      const other = typeof parameter.values[0] === 'number' ? 987_654 : 'something else';
      return [
        { raw: text(String(other)), problem: 'not_a_choice', sent: other },
        { raw: { kind: 'choice', index: parameter.values.length }, problem: 'not_a_choice' },
        { raw: { kind: 'choice', index: -1 }, problem: 'not_a_choice' },
        { raw: { kind: 'switch', on: true }, problem: 'not_a_choice' },
      ];
    }
    case 'switch':
      return [
        { raw: text('maybe'), problem: 'not_a_choice', sent: 'maybe' },
        { raw: { kind: 'choice', index: 0 }, problem: 'not_a_choice' },
      ];
    case 'number':
      return badNumbers(parameter);
    case 'files':
      return badFiles(parameter);
  }
}

function badNumbers({ min, max, whole, sentAsText }: ParameterOf<'number'>): BadAnswer[] {
  const sent = (number: number): unknown => (sentAsText ? String(number) : number);
  const bad: BadAnswer[] = ['many', '', 'NaN', 'Infinity', '0x10', '1e9', '1 000', '4-5', '1.2.3'].map(
    typed => ({
      raw: text(typed),
      problem: 'not_a_number',
    }),
  );
  if (min !== undefined) bad.push({ raw: text(String(min - 1)), problem: 'too_small', sent: sent(min - 1) });
  if (max !== undefined) bad.push({ raw: text(String(max + 1)), problem: 'too_large', sent: sent(max + 1) });
  if (whole) bad.push({ raw: text(`${(min ?? 0) + 1}.5`), problem: 'not_whole' });
  return bad;
}

function badFiles(parameter: ParameterOf<'files'>): BadAnswer[] {
  const megabytes = (count: number): number => count * 1_048_576 + 1;
  const { maxMegabytes, media, mimeTypes, maxItems, list } = parameter;
  const bad: BadAnswer[] = [
    { raw: text('a picture of a bird'), problem: 'not_a_file' },
    { raw: { kind: 'choice', index: 0 }, problem: 'not_a_file' },
    { raw: text('ftp://pictures.example/a.png'), problem: 'not_a_link' },
    { raw: text('http://10.1.2.3/a.png'), problem: 'private_link' },
    { raw: { ...upload(parameter), media: 'other' } as RawAnswer, problem: 'wrong_media' },
    {
      raw: upload(parameter, { bytes: megabytes(20) }),
      problem: maxMegabytes !== undefined && maxMegabytes <= 20 ? 'file_too_big' : 'too_big_for_telegram',
    },
    {
      raw: text(Array.from({ length: maxItems + 1 }, () => 'https://pictures.example/a.png').join('\n')),
      problem: 'too_many_files',
      ...(list
        ? { sent: Array.from({ length: maxItems + 1 }, (_, index) => addressOf(parameter.name, index)) }
        : {}),
    },
  ];
  if (maxMegabytes !== undefined)
    bad.push({ raw: upload(parameter, { bytes: megabytes(maxMegabytes) }), problem: 'file_too_big' });
  if (mimeTypes)
    bad.push({ raw: upload(parameter, { mimeType: `${media}/x-unheard-of` }), problem: 'wrong_type' });
  return bad;
}

/** Gives the answers one after the other; each must be taken. */
export function answered(form: Form, model: Model, ...answers: readonly RawAnswer[]): Form {
  return answers.reduce((current, raw) => {
    const result = answer(current, model, raw);
    if (!result.ok)
      expect.fail(`${model.id}: ${JSON.stringify(raw).slice(0, 200)} was refused: ${result.problem}`);
    return result.form;
  }, form);
}

/** Opens the parameter of this name from the options or the confirmation. */
export function edited(form: Form, model: Model, parameter: Parameter, index: number): Form {
  const opened = editParameter(form, model, index);
  if (!opened) expect.fail(`${model.id}: ${parameter.name} cannot be edited`);
  return opened;
}

/** Answers everything that is asked until no question is open. */
export function withQuestionsAnswered(form: Form, model: Model): Form {
  let current = form;
  for (let step = currentStep(current, model); step.kind === 'question'; step = currentStep(current, model)) {
    if (step.editing) {
      const back = goBack(current, model);
      if (!back) expect.fail('editing has no way back');
      current = back;
    } else {
      // A list may be full already, after a step back: then there is nothing to add.
      const kept = answer(current, model, { kind: 'done' });
      current = kept.ok
        ? kept.form
        : answered(current, model, ...(goodAnswers(step.parameter)[0]?.raw ?? []));
    }
  }
  return current;
}

export function proceeded(form: Form, model: Model): Form {
  const result = proceed(form, model);
  if (!result.ok) expect.fail(`${model.id} does not go on: ${result.problem} ${result.parameters}`);
  return result.form;
}

/** What the supplier gets, with made-up addresses for the files. */
export function inputOf(model: Model, values: FormValues): Record<string, unknown> {
  const files = filesOf(model, values);
  return buildInput(model, values, name =>
    files.filter(({ parameter }) => parameter === name).map((_, index) => addressOf(name, index)),
  );
}
