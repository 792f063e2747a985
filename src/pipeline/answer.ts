// Answering the question that a form asks: what came by button, text or upload is read as a value of the parameter,
// checked, and kept. Nothing is downloaded and no address is resolved here: that is done when the order is sent.
import type { MediaKind, Model, Parameter, ParameterOf, Scalar } from '../catalogue/schema.ts';
import type { FileReference, FormValue } from '../catalogue/values.ts';
import type { LinkRules } from '../kie/link.ts';
import { fileProblem, readLinks } from './answer-files.ts';
import { cleanText, readChoice, readNumber, readSwitch } from './answer-values.ts';
import { defaultOf, givenValue, isMandatory } from './filled.ts';
import { changed, currentStep, type Form, settled, without } from './form.ts';
import { allowedFor, type Problem } from './problem.ts';
import { valueProblem } from './value-check.ts';

export type RawAnswer =
  | { readonly kind: 'text'; readonly text: string }
  /** `index` among the parameter's values. */
  | { readonly kind: 'choice'; readonly index: number }
  | { readonly kind: 'switch'; readonly on: boolean }
  | {
      readonly kind: 'file';
      readonly media: MediaKind | 'other';
      readonly file: FileReference;
      /** Telegram's id of the album that the file came in. */
      readonly groupId?: string | undefined;
    }
  /** On, with what there is: no more files, or the answer that was given before. */
  | { readonly kind: 'done' }
  /** Back to the default, or to nothing. A list of files is emptied and asked for anew. */
  | { readonly kind: 'clear' };

export type Answered =
  | { readonly ok: true; readonly form: Form }
  | {
      readonly ok: false;
      readonly problem: Problem;
      /** What would have fit, in words of no language: "1–3000", "4:3, 1:1", "JPEG, PNG; ≤ 10 MB". */
      readonly allowed: string;
    };

/**
 * Takes one answer to the question being asked. A refusal leaves the form as it was. `linkRules` say which links
 * may be inputs (kie/link.ts).
 */
export function answer(form: Form, model: Model, raw: RawAnswer, linkRules: LinkRules = {}): Answered {
  const step = currentStep(form, model);
  const parameter = step.kind === 'question' ? step.parameter : undefined;
  const tooMany = restOfAlbum(form, model, parameter, raw);
  if (tooMany) return refused('too_many_files', tooMany);
  if (!parameter) return { ok: false, problem: 'nothing_asked', allowed: '' };
  if (raw.kind === 'done') return goOn(form, model, parameter);
  if (raw.kind === 'clear') return clear(form, model, parameter);
  if (parameter.type === 'files') return addFiles(form, model, parameter, raw, linkRules);
  const value = read(parameter, raw);
  if (typeof value === 'object') return refused(value.problem, parameter);
  const problem = valueProblem(parameter, value);
  return problem ? refused(problem, parameter) : kept(form, model, parameter, value);
}

type Misfit = { readonly problem: Problem };

function read(parameter: Exclude<Parameter, { type: 'files' }>, raw: RawAnswer): Scalar | Misfit {
  switch (parameter.type) {
    case 'text':
      return raw.kind === 'text' ? cleanText(raw.text) : { problem: 'not_a_text' };
    case 'number':
      return (raw.kind === 'text' ? readNumber(raw.text) : undefined) ?? { problem: 'not_a_number' };
    case 'switch':
      if (raw.kind === 'switch') return raw.on;
      return (raw.kind === 'text' ? readSwitch(raw.text) : undefined) ?? { problem: 'not_a_choice' };
    case 'choice':
      if (raw.kind === 'choice') return parameter.values[raw.index] ?? { problem: 'not_a_choice' };
      return (
        (raw.kind === 'text' ? readChoice(parameter, raw.text) : undefined) ?? { problem: 'not_a_choice' }
      );
  }
}

function addFiles(
  form: Form,
  model: Model,
  parameter: ParameterOf<'files'>,
  raw: Extract<RawAnswer, { kind: 'text' | 'choice' | 'switch' | 'file' }>,
  linkRules: LinkRules,
): Answered {
  if (raw.kind === 'choice' || raw.kind === 'switch') return refused('not_a_file', parameter);
  const sent = raw.kind === 'file' ? oneFile(parameter, raw) : readLinks(raw.text, linkRules);
  if (!Array.isArray(sent)) return refused(sent.problem, parameter);
  const files = takesSeveral(parameter) ? [...filesSoFar(form, parameter), ...sent] : sent;
  const problem = valueProblem(parameter, files);
  if (problem) return refused(problem, parameter);
  const album =
    raw.kind === 'file' && raw.groupId !== undefined
      ? { groupId: raw.groupId, groupParameter: parameter.name }
      : {};
  const next = { ...form, ...album };
  return files.length < parameter.maxItems && takesSeveral(parameter)
    ? stillAsking(withValue(next, parameter, files), model, parameter)
    : kept(next, model, parameter, files);
}

function oneFile(
  parameter: ParameterOf<'files'>,
  { media, file }: Extract<RawAnswer, { kind: 'file' }>,
): FileReference[] | Misfit {
  const problem = fileProblem(parameter, media, file);
  return problem ? { problem } : [file];
}

/**
 * Pictures of an album arrive as messages of their own. Those that come after its parameter is full must not
 * become answers to the next question. Returns the parameter that took the album.
 */
function restOfAlbum(
  form: Form,
  model: Model,
  parameter: Parameter | undefined,
  raw: RawAnswer,
): Parameter | undefined {
  if (raw.kind !== 'file' || raw.groupId === undefined || raw.groupId !== form.groupId) return undefined;
  const taker = model.parameters.find(({ name }) => name === form.groupParameter);
  if (!taker || (taker === parameter && taker.type === 'files' && takesSeveral(taker))) return undefined;
  return taker;
}

function goOn(form: Form, model: Model, parameter: Parameter): Answered {
  const answered = givenValue(form, parameter) !== undefined || !isMandatory(parameter);
  return answered ? concluded(form, model) : refused(nothingGiven(parameter), parameter);
}

function clear(form: Form, model: Model, parameter: Parameter): Answered {
  const emptied = { ...form, values: withoutKey(form.values, parameter.name) };
  if (parameter.type === 'files' && takesSeveral(parameter) && filesSoFar(form, parameter).length > 0) {
    return stillAsking(emptied, model, parameter);
  }
  if (!isMandatory(parameter)) return concluded(emptied, model);
  const value = defaultOf(parameter);
  if (value === undefined) return refused(nothingGiven(parameter), parameter);
  return kept(form, model, parameter, value);
}

function nothingGiven(parameter: Parameter): Problem {
  return parameter.type === 'files' ? 'no_files' : 'missing';
}

function takesSeveral(parameter: ParameterOf<'files'>): boolean {
  return parameter.list && parameter.maxItems > 1;
}

function filesSoFar(form: Form, parameter: ParameterOf<'files'>): readonly FileReference[] {
  const value = givenValue(form, parameter);
  return Array.isArray(value) ? value : [];
}

function kept(form: Form, model: Model, parameter: Parameter, value: FormValue): Answered {
  return concluded(withValue(form, parameter, value), model);
}

function concluded(form: Form, model: Model): Answered {
  return { ok: true, form: settled(changed(without(form, 'asking')), model) };
}

function stillAsking(form: Form, model: Model, parameter: Parameter): Answered {
  return { ok: true, form: settled(changed({ ...form, asking: parameter.name }), model) };
}

function withValue(form: Form, parameter: Parameter, value: FormValue): Form {
  return { ...form, values: { ...form.values, [parameter.name]: value } };
}

function withoutKey<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  const { [key]: _dropped, ...rest } = record;
  return rest;
}

function refused(problem: Problem, parameter: Parameter): Answered {
  return { ok: false, problem, allowed: allowedFor(problem, parameter) };
}
