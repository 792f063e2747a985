// Files as answers: uploads by their kind, type and size as far as Telegram says them, and links by their form.
import type { MediaKind, ParameterOf } from '../catalogue/schema.ts';
import type { FileReference } from '../catalogue/values.ts';
import { checkLink, type LinkProblem, type LinkRules } from '../kie/link.ts';
import { type Problem, telegramFileBytes } from './problem.ts';

/** Why the upload cannot be an input, or undefined. A property that the client left out is no reason. */
export function fileProblem(
  parameter: ParameterOf<'files'>,
  media: MediaKind | 'other',
  file: FileReference,
): Problem | undefined {
  if (media !== parameter.media) return 'wrong_media';
  if (file.from === 'link') return undefined;
  const { mimeTypes, maxMegabytes = Infinity } = parameter;
  const type = file.mimeType === undefined ? unknownType : canonicalType(file.mimeType);
  if (mimeTypes && type !== unknownType && !mimeTypes.map(canonicalType).includes(type)) return 'wrong_type';
  // Asked first, because a file that is too big for the model is too big as a link, too.
  if (file.bytes !== undefined && file.bytes > maxMegabytes * 1024 * 1024) return 'file_too_big';
  return (file.bytes ?? 0) > telegramFileBytes ? 'too_big_for_telegram' : undefined;
}

/** Links in a text, apart by spaces or lines; nothing else may stand between them. */
export function readLinks(text: string, rules: LinkRules): FileReference[] | { readonly problem: Problem } {
  const words = text.split(/\s+/).filter(word => word !== '');
  if (words.length === 0 || !words.every(looksLikeLink)) return { problem: 'not_a_file' };
  const files: FileReference[] = [];
  for (const word of words) {
    const verdict = checkLink(word, rules);
    if (!verdict.ok) return { problem: linkProblems[verdict.problem] };
    files.push({ from: 'link', url: verdict.url });
  }
  return files;
}

/** For users it is either no usable link at all, or one that nobody else could open. */
const linkProblems: Readonly<Record<LinkProblem, Problem>> = {
  not_a_link: 'not_a_link',
  too_long: 'not_a_link',
  scheme: 'not_a_link',
  login: 'private_link',
  private_host: 'private_link',
  telegram_file: 'private_link',
};

/** Has a scheme, of whatever kind: `http:`, `ftp:`, `data:`. */
function looksLikeLink(word: string): boolean {
  return /^[a-z][a-z\d+.-]*:/i.test(word);
}

const unknownType = 'application/octet-stream';

/** Names that clients and the supplier use for one and the same type. */
const synonyms: Readonly<Record<string, string>> = {
  'audio/m4a': 'audio/mp4',
  'audio/mp3': 'audio/mpeg',
  'audio/vnd.wave': 'audio/wav',
  'audio/wave': 'audio/wav',
  'audio/x-flac': 'audio/flac',
  'audio/x-m4a': 'audio/mp4',
  'audio/x-wav': 'audio/wav',
  'image/jpg': 'image/jpeg',
};

function canonicalType(mimeType: string): string {
  const type = mimeType.toLowerCase().replace(/;.*$/s, '').trim();
  return synonyms[type] ?? type;
}
