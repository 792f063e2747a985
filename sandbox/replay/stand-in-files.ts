// Files in the place of those that a user had sent or was sent: small real ones of the same kind, which the stand-ins
// keep and the bot can fetch from them.
import { type Api, InputFile } from 'grammy';
import { z } from 'zod';
import type { MediaKind } from '../../src/catalogue/schema.ts';
import type { FileReference } from '../../src/catalogue/values.ts';
import type { KieSandbox } from '../kie/index.ts';
import { fileTypes, readResultFiles } from '../kie/result-files.ts';

export interface StandInFiles {
  /** As a user sends one. */
  sent(media: MediaKind): Promise<FileReference>;
  /** The address of one, as a result has it. */
  made(media: MediaKind): Promise<string>;
}

const size = { width: 64, height: 64 };
const storedSchema = z.object({ data: z.object({ downloadUrl: z.url() }) });

/** `chatId`: the chat in which the stand-in of Telegram keeps what was sent. */
export function createStandInFiles(
  api: Api,
  chatId: number,
  kie: Pick<KieSandbox, 'uploadUrl' | 'apiKey'>,
): StandInFiles {
  let count = 0;

  async function draw(media: MediaKind): Promise<{ name: string; bytes: Buffer; mimeType: string }> {
    count += 1;
    const { extension, contentType: mimeType } = fileTypes[media];
    const name = `replay-${count}.${extension}`;
    return { name, bytes: (await readResultFiles()).bytesOf(media, name, size), mimeType };
  }

  return {
    async sent(media) {
      const { name, bytes, mimeType } = await draw(media);
      const { document } = await api.sendDocument(chatId, new InputFile(bytes, name));
      return { from: 'telegram', fileId: document.file_id, mimeType, bytes: bytes.length };
    },
    async made(media) {
      const { name, bytes, mimeType } = await draw(media);
      const response = await fetch(`${kie.uploadUrl}/api/file-base64-upload`, {
        method: 'POST',
        headers: { authorization: `Bearer ${kie.apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          base64Data: `data:${mimeType};base64,${bytes.toString('base64')}`,
          uploadPath: 'replay',
          fileName: name,
        }),
      });
      return storedSchema.parse(await response.json()).data.downloadUrl;
    },
  };
}
