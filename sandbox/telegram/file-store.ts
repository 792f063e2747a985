// Owns the files of the sandbox: what bots and users uploaded, byte for byte, under the two ids and the path that the
// Bot API gives out. It keeps them in memory until the sandbox stops.
// A photo has two sizes, because bots must pick one: a drawn thumbnail and the picture itself. Telegram would recompress
// the picture; here it stays as it was uploaded, so that a test can compare it.
// A file may be declared larger than the bytes that are held: then it counts as that large, and zeros follow them.
// It does not look into the bytes, except for the size of a picture.
import { createPng } from '../png.ts';
import { type ImageSize, readImageSize } from './image-size.ts';

export type FileKind = 'photo' | 'video' | 'video_note' | 'audio' | 'voice' | 'animation' | 'document';

export interface StoredFile {
  /** Sends the file again or fetches it; what bots keep. */
  readonly fileId: string;
  readonly fileUniqueId: string;
  readonly kind: FileKind;
  readonly bytes: Buffer;
  /** As Telegram states it: the length of `bytes`, or more. */
  readonly size: number;
  readonly fileName: string | undefined;
  readonly mimeType: string | undefined;
  /** The rest of the download URL, as getFile returns it. */
  readonly path: string;
  /** Photos only. */
  readonly imageSize: ImageSize | undefined;
  /** Photos that are larger than a thumbnail only. */
  readonly thumbnail: StoredFile | undefined;
}

export interface NewFile {
  readonly kind: FileKind;
  readonly bytes: Buffer;
  /** For files that are too large to be held; the length of `bytes` if not given. */
  readonly declaredBytes?: number | undefined;
  readonly fileName?: string | undefined;
  readonly mimeType?: string | undefined;
}

export interface FileStore {
  add(file: NewFile): StoredFile;
  find(fileId: string): StoredFile | undefined;
  findByPath(path: string): StoredFile | undefined;
}

const FOLDERS: Readonly<Record<FileKind, string>> = {
  photo: 'photos',
  video: 'videos',
  video_note: 'video_notes',
  audio: 'music',
  voice: 'voice',
  animation: 'animations',
  document: 'documents',
};
const DEFAULT_EXTENSIONS: Readonly<Record<FileKind, string>> = {
  photo: 'jpg',
  video: 'mp4',
  video_note: 'mp4',
  audio: 'mp3',
  voice: 'oga',
  animation: 'mp4',
  document: 'bin',
};

const THUMBNAIL_SIDE_PIXELS = 90;
const THUMBNAIL_COLOUR = [128, 128, 128] as const;

export function createFileStore(): FileStore {
  const byId = new Map<string, StoredFile>();
  const byPath = new Map<string, StoredFile>();

  function add({ kind, bytes, declaredBytes, fileName, mimeType }: NewFile): StoredFile {
    const imageSize = kind === 'photo' ? readImageSize(bytes) : undefined;
    const thumbnail = imageSize === undefined ? undefined : addThumbnail(imageSize);
    const number = byId.size + 1;
    const extension = /\.([a-z0-9]{1,8})$/i.exec(fileName ?? '')?.[1] ?? DEFAULT_EXTENSIONS[kind];
    const file: StoredFile = {
      fileId: `SANDBOX_${kind}_file_${String(number).padStart(8, '0')}`,
      fileUniqueId: `SBX${String(number).padStart(8, '0')}`,
      kind,
      bytes,
      size: Math.max(bytes.length, declaredBytes ?? 0),
      fileName,
      mimeType,
      path: `${FOLDERS[kind]}/file_${number}.${extension}`,
      imageSize,
      thumbnail,
    };
    byId.set(file.fileId, file);
    byPath.set(file.path, file);
    return file;
  }

  function addThumbnail({ width, height }: ImageSize): StoredFile | undefined {
    const scale = THUMBNAIL_SIDE_PIXELS / Math.max(width, height);
    if (scale >= 1) return undefined;
    const side = (pixels: number) => Math.max(1, Math.round(pixels * scale));
    const bytes = createPng(side(width), side(height), THUMBNAIL_COLOUR);
    return add({ kind: 'photo', bytes, fileName: 'thumbnail.png' });
  }

  return {
    add,
    find: fileId => byId.get(fileId),
    findByPath: path => byPath.get(path),
  };
}
