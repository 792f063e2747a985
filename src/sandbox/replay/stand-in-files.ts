// Files in the place of those that a user had sent: small real ones of the same kind, which the stand-in of Telegram
// keeps and the bot can fetch from it.
import { type Api, InputFile } from 'grammy';
import type { MediaKind } from '../../catalogue/schema.ts';
import type { FileReference } from '../../catalogue/values.ts';
import { fileTypes, readResultFiles } from '../kie/result-files.ts';

/** Resolves to a file that the bot can fetch. */
export type FileSource = (media: MediaKind) => Promise<FileReference>;

const size = { width: 64, height: 64 };

export function createFileSource(api: Api, chatId: number): FileSource {
  let count = 0;
  return async media => {
    count += 1;
    const { extension, contentType } = fileTypes[media];
    const bytes = (await readResultFiles()).bytesOf(media, `replay-${count}`, size);
    const { document } = await api.sendDocument(chatId, new InputFile(bytes, `replay-${count}.${extension}`));
    return { from: 'telegram', fileId: document.file_id, mimeType: contentType, bytes: bytes.length };
  };
}
