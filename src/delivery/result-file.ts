// What a file of a result is (picture, film, sound or anything else), known from the ending of its address or else from
// what the model makes. Also the name it gets when it is uploaded, which shows neither the prompt nor the supplier.
import type { MediaKind } from '../catalogue/schema.ts';
import { extensionOf } from '../kie/media-type.ts';
import type { Delivery } from '../storage/delivery-store.ts';
import type { TaskRow } from '../storage/task-row.ts';

/** `file` is what Telegram shows as a document only. */
export type ResultMedia = MediaKind | 'file';

export interface ResultFile {
  readonly row: Delivery;
  readonly media: ResultMedia;
  /** A web address that the user may be given; undefined where the delivery has none. */
  readonly url: string | undefined;
  /** `mediaType` is what the bytes show; it gives the ending where the address has none. */
  fileName(mediaType: string): string;
}

/** By the ending of the address. For Telegram, animated and vector pictures are no photos. */
const mediaByEnding: Readonly<Record<string, ResultMedia>> = {
  png: 'image',
  jpg: 'image',
  jpeg: 'image',
  webp: 'image',
  mp4: 'video',
  mov: 'video',
  webm: 'video',
  mkv: 'video',
  mp3: 'audio',
  m4a: 'audio',
  wav: 'audio',
  ogg: 'audio',
  flac: 'audio',
  aac: 'audio',
  gif: 'file',
  svg: 'file',
  zip: 'file',
  json: 'file',
  txt: 'file',
  srt: 'file',
  pdf: 'file',
  glb: 'file',
};

const endingByMedia: Readonly<Record<ResultMedia, string>> = {
  image: 'png',
  video: 'mp4',
  audio: 'mp3',
  file: 'bin',
};

/** `output` is what the model makes. */
export function resultFileOf(task: TaskRow, row: Delivery, output: MediaKind, files: number): ResultFile {
  const url = URL.parse(row.url ?? '');
  const ending = /\.([a-z0-9]{1,5})$/i.exec(url?.pathname ?? '')?.[1]?.toLowerCase();
  const media = mediaByEnding[ending ?? ''] ?? output;
  return {
    row,
    media,
    url: url && /^https?:$/.test(url.protocol) ? url.href : undefined,
    fileName(mediaType) {
      const known = ending !== undefined && mediaByEnding[ending] !== undefined ? `.${ending}` : undefined;
      const number = files > 1 ? `-${row.position}` : '';
      return `${task.modelKey}${number}${known ?? (extensionOf(mediaType) || `.${endingByMedia[media]}`)}`;
    },
  };
}
