// Owns the methods that send files, alone or as an album, and the one that says where to download a file.
import type { Message } from 'grammy/types';
import { badRequest } from '../api-error.ts';
import type { BotState } from '../bot-state.ts';
import type { FileKind } from '../file-store.ts';
import { readCaption } from '../formatted-text.ts';
import { readInputFile } from '../input-file.ts';
import { mediaFields } from '../media.ts';
import type { Parameters } from '../parameters.ts';
import { readAlbum } from './input-media.ts';
import type { MethodGroup } from './method.ts';
import { captionFields, postFromBot } from './outgoing.ts';

/** Bots download at most 20 MB (core.telegram.org/bots/api#getfile). */
const MAXIMUM_DOWNLOAD_BYTES = 20 * 1024 * 1024;

export function createMediaMethods(state: BotState) {
  /** Each of these methods has the argument that holds the file named like its kind. */
  async function send(kind: FileKind, parameters: Parameters): Promise<Message> {
    const caption = readCaption(parameters, 'send');
    const missing = `there is no ${kind} in the request`;
    const file = await readInputFile({ parameters, field: kind, kind, files: state.files, missing });
    const content = { ...mediaFields(file, kind, parameters), ...captionFields(caption, parameters) };
    return postFromBot(state, parameters, content);
  }

  // SAFETY of the casts below: the message holds the file under the field that makes it a message of that kind.
  return {
    sendPhoto: async parameters => (await send('photo', parameters)) as Message.PhotoMessage,
    sendVideo: async parameters => (await send('video', parameters)) as Message.VideoMessage,
    sendAudio: async parameters => (await send('audio', parameters)) as Message.AudioMessage,
    sendVoice: async parameters => (await send('voice', parameters)) as Message.VoiceMessage,
    sendAnimation: async parameters => (await send('animation', parameters)) as Message.AnimationMessage,
    sendDocument: async parameters => (await send('document', parameters)) as Message.DocumentMessage,
    async sendMediaGroup(parameters) {
      const album = await readAlbum(state, parameters);
      const albumId = state.albumIds.next();
      const withoutMarkup = new Map(Object.entries(parameters.values));
      withoutMarkup.delete('reply_markup'); // an album has no keyboard; the argument is ignored
      const common = parameters.nested(Object.fromEntries(withoutMarkup));
      return album.map(
        content =>
          postFromBot(state, common, { ...content, media_group_id: albumId }) as Message.PhotoMessage,
      );
    },
    getFile(parameters) {
      if (!parameters.has('file_id')) throw badRequest('file_id not specified');
      const file = state.files.find(parameters.text('file_id'));
      if (file === undefined) throw badRequest('invalid file_id');
      if (file.size > MAXIMUM_DOWNLOAD_BYTES) throw badRequest('file is too big');
      return {
        file_id: file.fileId,
        file_unique_id: file.fileUniqueId,
        file_size: file.size,
        file_path: file.path,
      };
    },
  } satisfies MethodGroup;
}
