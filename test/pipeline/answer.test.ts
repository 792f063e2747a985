// Answers to one question: what is understood, what is refused and what the refusal says.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Model } from '../../src/catalogue/schema.ts';
import { answer, type RawAnswer } from '../../src/pipeline/answer.ts';
import { askedParameters } from '../../src/pipeline/filled.ts';
import { currentStep, editParameter, type Form, startForm } from '../../src/pipeline/form.ts';
import { telegramFileBytes } from '../../src/pipeline/problem.ts';
import { answered, upload } from './answers.ts';
import { files, plain, rich } from './example-models.ts';

const text = (typed: string): RawAnswer => ({ kind: 'text', text: typed });
const done: RawAnswer = { kind: 'done' };
const clear: RawAnswer = { kind: 'clear' };

/** The rich model with one of its parameters being asked. */
function asking(name: string): Form {
  const form = answered(startForm(rich), rich, text('a bird'));
  const index = askedParameters(form, rich).findIndex(parameter => parameter.name === name);
  return editParameter(form, rich, index) ?? expect.fail(`${name} is not asked`);
}

function file(model: Model, name: string, changes: object = {}, groupId?: string): RawAnswer {
  const parameter = model.parameters.find(candidate => candidate.name === name);
  if (parameter?.type !== 'files') expect.fail(`${name} takes no files`);
  return upload(parameter, changes, groupId);
}

function refusal(form: Form, model: Model, raw: RawAnswer): unknown {
  const result = answer(form, model, raw);
  return result.ok ? result : [result.problem, result.allowed];
}

describe('a text', () => {
  test.each([
    ['ab', 'too_short'],
    ['  ab  ', 'too_short'],
    ['\0\0\0\0', 'too_short'],
    ['\udc00ab\ud800', 'too_short'],
    ['elevenchars', 'too_long'],
  ])('%j is refused as %s, with the lengths that fit', (typed, problem) => {
    expect(refusal(startForm(plain), plain, text(typed))).toEqual([problem, '3–10']);
  });

  test.each(['abc', 'tencharact', '🐦'.repeat(10)])('%j has a length that fits', typed => {
    expect(answered(startForm(plain), plain, text(typed)).values).toEqual({ prompt: typed });
  });

  test('is not given by a file or a button', () => {
    expect(refusal(startForm(plain), plain, file(rich, 'mask'))).toEqual(['not_a_text', '3–10']);
    expect(refusal(startForm(plain), plain, { kind: 'choice', index: 0 })).toEqual(['not_a_text', '3–10']);
  });

  test('whatever is taken, Postgres can hold it and its length fits', () => {
    const anyText = fc
      .array(fc.nat({ max: 0xffff }), { maxLength: 14 })
      .map(units => String.fromCharCode(...units));
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string({ unit: 'grapheme', maxLength: 14 })), typed => {
        const result = answer(startForm(plain), plain, text(typed));
        if (!result.ok) return;
        const stored = String(result.form.values.prompt);
        expect(stored.isWellFormed()).toBe(true);
        expect(stored).not.toContain('\0');
        expect([...stored].length).toBeGreaterThanOrEqual(3);
        expect([...stored].length).toBeLessThanOrEqual(10);
      }),
    );
  });
});

describe('a choice', () => {
  const open = answered(startForm(plain), plain, text('a bird'));

  test.each(['Small', 'small', ' SMALL '])('%j, typed, is the value of the list', typed => {
    expect(answered(open, plain, text(typed)).values.size).toBe('Small');
  });

  test.each(['10', '10 s', '10 с', '10 С'])('%j, typed, is the number 10 of the list', typed => {
    expect(answered(asking('duration'), rich, text(typed)).values.duration).toBe(10);
  });

  test.each(['', 'huge', '0', 'toString'])('%j is none', typed => {
    expect(refusal(open, plain, text(typed))).toEqual(['not_a_choice', 'Small, large']);
  });

  test.each([-1, 2, 0.5, Number.NaN])('a button with the index %s is none', index => {
    expect(refusal(open, plain, { kind: 'choice', index })).toEqual(['not_a_choice', 'Small, large']);
  });
});

describe('a switch', () => {
  test.each([
    ['да', true],
    ['Yes', true],
    ['+', true],
    ['НЕТ', false],
    ['no', false],
    ['-', false],
    ['−', false],
  ])('understands %j', (typed, on) => {
    expect(answered(asking('sound'), rich, text(typed)).values.sound).toBe(on);
  });

  test('and nothing else', () => {
    expect(refusal(asking('sound'), rich, text('perhaps'))).toEqual(['not_a_choice', '+, −']);
    expect(refusal(asking('sound'), rich, { kind: 'choice', index: 0 })).toEqual(['not_a_choice', '+, −']);
  });
});

describe('a number', () => {
  test.each([
    ['1.5', 1.5],
    ['1,5', 1.5],
    ['  2 ', 2],
    ['+1', 1],
    ['-0', 0],
    ['002', 2],
  ])('reads %j', (typed, number) => {
    expect(answered(asking('strength'), rich, text(typed)).values.strength).toBe(number);
  });

  test.each(['', 'two', 'NaN', 'Infinity', '0x1', '1e0', '1 0', '1,2,3', '1.', '--1'])(
    '%j is none',
    typed => {
      expect(refusal(asking('strength'), rich, text(typed))).toEqual(['not_a_number', '0–2']);
    },
  );

  test('has its bounds, and is whole where it must be', () => {
    expect(refusal(asking('strength'), rich, text('-0.1'))).toEqual(['too_small', '0–2']);
    expect(refusal(asking('strength'), rich, text('2,01'))).toEqual(['too_large', '0–2']);
    expect(refusal(asking('seconds'), rich, text('1.5'))).toEqual(['not_whole', '1–30']);
    expect(answered(asking('seconds'), rich, text('2.0')).values.seconds).toBe(2);
  });

  test('without bounds still ends where numbers lose their digits', () => {
    const open: Model = {
      ...plain,
      parameters: [{ name: 'seed', type: 'number', required: true, whole: true }],
    };
    const form = startForm(open);
    expect(answered(form, open, text('9007199254740991')).values.seed).toBe(Number.MAX_SAFE_INTEGER);
    expect(refusal(form, open, text('9007199254740993'))).toMatchObject(['too_large', expect.any(String)]);
    expect(refusal(form, open, text(`-${'9'.repeat(40)}`))).toMatchObject(['too_small', expect.any(String)]);
  });
});

describe('a file', () => {
  const images = asking('images');

  test.each([
    ['of another medium', { media: 'video' }, {}, 'wrong_media', 'JPEG, PNG; ≤ 10 MB'],
    ['of another type', {}, { mimeType: 'image/gif' }, 'wrong_type', 'JPEG, PNG; ≤ 10 MB'],
    ['too big for the model', {}, { bytes: 10 * 1024 * 1024 + 1 }, 'file_too_big', 'JPEG, PNG; ≤ 10 MB'],
  ])('%s is refused', (_what, answerChanges, fileChanges, problem, allowed) => {
    const raw = { ...file(rich, 'images', fileChanges), ...answerChanges } as RawAnswer;
    expect(refusal(images, rich, raw)).toEqual([problem, allowed]);
  });

  test('that bots cannot read has to come as a link', () => {
    const mask = asking('mask');
    expect(refusal(mask, rich, file(rich, 'mask', { bytes: telegramFileBytes + 1 }))).toEqual([
      'too_big_for_telegram',
      '≤ 20 MB',
    ]);
    expect(answer(mask, rich, file(rich, 'mask', { bytes: telegramFileBytes })).ok).toBe(true);
    expect(answer(mask, rich, text('https://files.example/large.png')).ok).toBe(true);
  });

  test.each([
    { mimeType: undefined, bytes: undefined },
    { mimeType: 'application/octet-stream' },
    { mimeType: 'IMAGE/JPG; q=1' },
  ])('of which the client says %j is taken', changes => {
    const raw = file(rich, 'images', JSON.parse(JSON.stringify(changes)));
    expect(answer(images, rich, raw).ok).toBe(true);
  });

  test('a single one replaces the one before', () => {
    const first = answered(asking('mask'), rich, file(rich, 'mask', { fileId: 'first' }));
    const index = askedParameters(first, rich).findIndex(({ name }) => name === 'mask');
    const open = editParameter(first, rich, index) ?? expect.fail('it is not asked');
    const second = answered(open, rich, file(rich, 'mask', { fileId: 'second' }));
    expect(second.values.mask).toMatchObject([{ fileId: 'second' }]);
  });
});

describe('a link', () => {
  test.each([
    ['a bird', 'not_a_file'],
    ['', 'not_a_file'],
    ['https://files.example/a.png and more', 'not_a_file'],
    ['ftp://files.example/a.png', 'not_a_link'],
    ['https://', 'not_a_link'],
    [`https://files.example/${'a'.repeat(3000)}`, 'not_a_link'],
    ['http://127.0.0.1/a.png', 'private_link'],
    ['http://localhost/a.png', 'private_link'],
    ['http://user:word@files.example/a.png', 'private_link'],
    ['https://api.telegram.org/file/bot1:x/photos/a.jpg', 'private_link'],
  ])('%j is refused as %s', (typed, problem) => {
    expect(refusal(asking('images'), rich, text(typed))).toEqual([problem, 'JPEG, PNG; ≤ 10 MB']);
  });

  test('is kept as it was understood, and several at once where a list is asked', () => {
    const form = answered(
      asking('images'),
      rich,
      text(' https://Files.example/a.png '),
      text('http://a.example/1\nhttp://a.example/2'),
    );
    expect(form.values.images).toEqual([
      { from: 'link', url: 'https://files.example/a.png' },
      { from: 'link', url: 'http://a.example/1' },
      { from: 'link', url: 'http://a.example/2' },
    ]);
    expect(refusal(asking('mask'), rich, text('http://a.example/1 http://a.example/2'))).toEqual([
      'too_many_files',
      '1',
    ]);
  });

  test('to loopback is taken where the rules allow it, for the sandbox', () => {
    const raw = text('http://127.0.0.1:9/a.png');
    expect(answer(asking('mask'), rich, raw, { allowLoopback: true }).ok).toBe(true);
  });
});

describe('a list of files', () => {
  test('takes one by one until it is full or the user has enough', () => {
    const one = answered(startForm(files), files, file(files, 'images'));
    expect(currentStep(one, files)).toMatchObject({ parameter: { name: 'images' }, editing: false });
    expect(currentStep(answered(one, files, done), files)).toMatchObject({ parameter: { name: 'face' } });
    const three = answered(one, files, file(files, 'images'), file(files, 'images'));
    expect(three.values.images).toHaveLength(3);
    expect(currentStep(three, files)).toMatchObject({ parameter: { name: 'face' } });
  });

  test('that must be given is not done while it is empty', () => {
    expect(refusal(startForm(files), files, done)).toEqual(['no_files', '1–3']);
    expect(answer(asking('images'), rich, done).ok, 'an optional one is').toBe(true);
  });

  test('is emptied and asked for anew', () => {
    const two = answered(startForm(files), files, file(files, 'images'), file(files, 'images'));
    const empty = answered(two, files, clear);
    expect(empty.values).toEqual({});
    expect(currentStep(empty, files)).toMatchObject({ parameter: { name: 'images' } });
    expect(refusal(empty, files, clear)).toEqual(['no_files', '1–3']);
  });

  test('takes an album, and its rest never becomes the answer to the next question', () => {
    const picture = file(files, 'images', {}, 'album');
    const full = answered(startForm(files), files, picture, picture, picture);
    expect(currentStep(full, files)).toMatchObject({ parameter: { name: 'face' } });
    expect(refusal(full, files, picture)).toEqual(['too_many_files', '1–3']);
    const face = file(files, 'face', {}, 'another');
    const complete = answered(full, files, face);
    expect(refusal(complete, files, face), 'also after the last question').toEqual(['too_many_files', '1']);
  });
});

test('clearing goes back to the default, or to nothing, but never takes away what must be given', () => {
  const confirm = answered(startForm(plain), plain, text('a bird'), { kind: 'choice', index: 1 });
  const size = editParameter(confirm, plain, 1) ?? expect.fail('it is not asked');
  expect(answered(size, plain, clear).values.size).toBe('Small');
  const prompt = editParameter(confirm, plain, 0) ?? expect.fail('it is not asked');
  expect(refusal(prompt, plain, clear)).toEqual(['missing', '3–10']);
  const off = answered(asking('sound'), rich, { kind: 'switch', on: false });
  const sound = editParameter(off, rich, 2) ?? expect.fail('it is not asked');
  expect(answered(sound, rich, clear).values).toEqual({ prompt: 'a bird' });
});

test('a required choice with a default can be skipped by taking the default', () => {
  const open = answered(startForm(plain), plain, text('a bird'));
  expect(refusal(open, plain, done), 'nothing was chosen yet').toEqual(['missing', 'Small, large']);
  expect(answered(open, plain, clear).values).toEqual({ prompt: 'a bird', size: 'Small' });
});

test('where nothing is asked, nothing is taken', () => {
  const confirm = answered(startForm(plain), plain, text('a bird'), { kind: 'choice', index: 1 });
  for (const raw of [text('a cat'), done, clear, file(rich, 'mask')])
    expect(refusal(confirm, plain, raw)).toEqual(['nothing_asked', '']);
});
