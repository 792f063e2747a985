// What may be wrong with an answer, and in what words a hint says what would have fit. The words are numbers,
// values and names of formats, so that they stand in a sentence of any language.
import type { Parameter, ParameterOf } from '../catalogue/schema.ts';
import { valueProblems } from '../otel/detail-codes.ts';

/** Named as telemetry names them: one list, so that a problem that no event may carry cannot be. */
export const problems = valueProblems;
export type Problem = (typeof problems)[number];

/** Telegram's bots may read files up to this size (getFile); anything larger has to come as a link. */
export const telegramFileBytes = 20 * 1024 * 1024;

/** What the parameter takes: "1–3000", "4:3, 1:1", "JPEG, PNG; ≤ 10 MB"; a number without bounds says its kind. */
export function allowedValues(parameter: Parameter): string {
  switch (parameter.type) {
    case 'text':
      return `${parameter.minLength}–${parameter.maxLength}`;
    case 'choice':
      return parameter.values.join(', ');
    case 'switch':
      return '+, −';
    case 'number':
      return allowedNumbers(parameter);
    case 'files':
      return allowedFiles(parameter);
  }
}

/** The same, in the words that suit the problem: a wrong number of files is answered with how many there may be. */
export function allowedFor(problem: Problem, parameter: Parameter): string {
  if (problem === 'too_big_for_telegram') return `≤ ${telegramFileBytes / 1024 / 1024} MB`;
  if ((problem === 'too_many_files' || problem === 'no_files') && parameter.type === 'files') {
    return parameter.maxItems === 1 ? '1' : `1–${parameter.maxItems}`;
  }
  return allowedValues(parameter);
}

function allowedNumbers({ min, max, whole }: ParameterOf<'number'>): string {
  if (min !== undefined && max !== undefined) return `${min}–${max}`;
  if (min !== undefined) return `≥ ${min}`;
  if (max !== undefined) return `≤ ${max}`;
  return whole ? '0, 1, 2…' : '0, 0.5, 1…';
}

function allowedFiles({ media, mimeTypes, maxMegabytes }: ParameterOf<'files'>): string {
  const formats = mimeTypes ? [...new Set(mimeTypes.map(formatName))].join(', ') : undefined;
  const size = maxMegabytes === undefined ? undefined : `≤ ${maxMegabytes} MB`;
  // The kind of media alone is a word of a language: texts translate it.
  return [formats, size].filter(part => part !== undefined).join('; ') || media;
}

/** Where people know a format by another name than its MIME type. */
const formatNames: Readonly<Record<string, string>> = {
  'audio/mpeg': 'MP3',
  'audio/mp4': 'M4A',
  'audio/x-ms-wma': 'WMA',
  'image/jpg': 'JPEG',
  'video/quicktime': 'MOV',
  'video/x-matroska': 'MKV',
};

function formatName(mimeType: string): string {
  return formatNames[mimeType] ?? mimeType.replace(/^.*\/(x-)?/, '').toUpperCase();
}
