import { InputFile } from 'grammy';
import { fetch } from 'undici';
import { describe, expect, it } from 'vitest';
import { createPng } from '../../../sandbox/png.ts';
import { listen, openApi, openSandbox, refusalOf } from './support.ts';

const PICTURE = createPng(200, 100, [200, 30, 60]);
/** The header of a JPEG of 40 × 30 pixels with a comment segment and a fill byte before the frame. */
const JPEG = Buffer.from('ffd8fffe000461 62ffffc0000b08001e002801011100ffd9'.replaceAll(' ', ''), 'hex');

async function openChat() {
  const sandbox = await openSandbox();
  return { sandbox, user: sandbox.user({ started: true }), api: openApi(sandbox) };
}

/** Serves `files` by path on this machine. Returns the base of their URLs. */
async function serve(files: Readonly<Record<string, Buffer>>): Promise<string> {
  const url = await listen((request, response) => {
    const bytes = files[request.url ?? ''];
    if (bytes === undefined) response.writeHead(404).end('<html>');
    else
      response
        .writeHead(200, { 'content-type': request.url === '/page' ? 'text/html' : 'image/png' })
        .end(bytes);
  });
  return new URL(url).origin;
}

describe('sendPhoto', () => {
  it('keeps the bytes and states the size, the largest last', async () => {
    const { user, api } = await openChat();
    const message = await api.sendPhoto(user.id, new InputFile(PICTURE, 'a.png'), {
      caption: '<b>Red</b>',
      parse_mode: 'HTML',
      reply_markup: { inline_keyboard: [[{ text: 'Again', callback_data: 'again' }]] },
    });
    expect(message).toMatchObject({
      caption: 'Red',
      caption_entities: [{ type: 'bold', offset: 0, length: 3 }],
    });
    expect(message.photo.map(({ width, height }) => [width, height])).toEqual([
      [90, 45],
      [200, 100],
    ]);
    expect(message.photo.at(-1)?.file_size).toBe(PICTURE.length);
    const shown = user.lastMessage();
    expect(shown).toMatchObject({
      kind: 'photo',
      text: 'Red',
      keyboard: [[{ text: 'Again', data: 'again' }]],
    });
    expect(shown?.fileBytes?.equals(PICTURE)).toBe(true);
  });

  it('reads the size of a JPEG', async () => {
    const { user, api } = await openChat();
    const message = await api.sendPhoto(user.id, new InputFile(JPEG, 'a.jpg'));
    expect(message.photo).toMatchObject([{ width: 40, height: 30 }]);
  });

  it('takes a part under its own name', async () => {
    const { sandbox, user } = await openChat();
    const form = new FormData();
    form.set('chat_id', `${user.id}`);
    form.set('photo', new Blob([new Uint8Array(PICTURE)]), 'a.png');
    const body = await new Response(form).blob();
    await fetch(`${sandbox.apiRoot}/bot${sandbox.token}/sendPhoto`, { method: 'POST', body });
    expect(user.lastMessage()?.fileBytes?.equals(PICTURE)).toBe(true);
    expect(sandbox.calls('sendPhoto')[0]?.files.get('photo')).toMatchObject({ fileName: 'a.png' });
  });

  it('takes a file_id of a photo again, but not of another kind', async () => {
    const { user, api } = await openChat();
    const first = await api.sendPhoto(user.id, new InputFile(PICTURE));
    const fileId = first.photo.at(-1)?.file_id ?? '';
    const second = await api.sendPhoto(user.id, fileId);
    expect(second.photo).toEqual(first.photo);
    expect(await refusalOf(api.sendDocument(user.id, fileId))).toBe(
      "Bad Request: can't use file of type Photo as Document",
    );
    expect(await refusalOf(api.sendPhoto(user.id, 'unknown'))).toBe(
      "Bad Request: wrong remote file identifier specified: can't unserialize it",
    );
  });

  it('fetches URLs of this machine and no others', async () => {
    const { user, api } = await openChat();
    const origin = await serve({ '/a.png': PICTURE, '/page': Buffer.from('<html></html>') });
    await api.sendPhoto(user.id, `${origin}/a.png`);
    expect(user.lastMessage()?.fileBytes?.equals(PICTURE)).toBe(true);
    const failed = 'Bad Request: failed to get HTTP URL content';
    expect(await refusalOf(api.sendPhoto(user.id, `${origin}/missing.png`))).toBe(failed);
    expect(await refusalOf(api.sendPhoto(user.id, 'http://127.0.0.1:1/a.png'))).toBe(failed);
    // Leads to this machine on most systems, but is no loopback address.
    const elsewhere = origin.replace('127.0.0.1', '0.0.0.0');
    expect(await refusalOf(api.sendPhoto(user.id, `${elsewhere}/a.png`))).toBe(failed);
    expect(await refusalOf(api.sendPhoto(user.id, 'ftp://127.0.0.1/a.png'))).toBe(
      'Bad Request: wrong HTTP URL specified',
    );
    expect(await refusalOf(api.sendPhoto(user.id, `${origin}/page`))).toBe(
      'Bad Request: wrong type of the web page content',
    );
  });

  it('fetches a URL only as what its server says it is, and documents of three types', async () => {
    const { user, api } = await openChat();
    const types: Record<string, string> = {
      '/a': 'video/mp4',
      '/b': 'audio/mpeg',
      '/c': 'application/pdf',
      '/d': 'application/octet-stream',
    };
    const url = await listen((request, response) =>
      response.writeHead(200, { 'content-type': types[request.url ?? ''] }).end('bytes'),
    );
    const { origin } = new URL(url);
    await api.sendVideo(user.id, `${origin}/a`);
    await api.sendAudio(user.id, `${origin}/b`);
    await api.sendDocument(user.id, `${origin}/c`);
    expect(user.messages().map(({ kind }) => kind)).toEqual(['video', 'audio', 'document']);
    const refused = 'Bad Request: wrong file identifier/HTTP URL specified';
    expect(await refusalOf(api.sendVideo(user.id, `${origin}/d`))).toBe(refused);
    expect(await refusalOf(api.sendDocument(user.id, `${origin}/a`))).toBe(refused);
    const album = api.sendMediaGroup(user.id, [
      { type: 'video', media: `${origin}/a` },
      { type: 'video', media: `${origin}/d` },
    ]);
    expect(await refusalOf(album)).toBe(
      'Bad Request: failed to send message #2 with the error message "MEDIA_EMPTY"',
    );
  });

  it('refuses what is no photo to Telegram', async () => {
    const { user, api } = await openChat();
    const send = (bytes: Buffer) => api.sendPhoto(user.id, new InputFile(bytes));
    expect(await refusalOf(send(Buffer.from('text')))).toBe('Bad Request: IMAGE_PROCESS_FAILED');
    expect(await refusalOf(send(createPng(210, 10, [0, 0, 0])))).toBe(
      'Bad Request: PHOTO_INVALID_DIMENSIONS',
    );
    const tooLarge = Buffer.concat([PICTURE, Buffer.alloc(10 * 1024 * 1024)]);
    expect(await refusalOf(send(tooLarge))).toMatch(
      /^Bad Request: file of size \d+ bytes is too big for a photo/,
    );
    const tooLong = api.sendPhoto(user.id, new InputFile(PICTURE), { caption: 'x'.repeat(1025) });
    expect(await refusalOf(tooLong)).toBe('Bad Request: message caption is too long');
    expect(await refusalOf(api.raw.sendPhoto({ chat_id: user.id, photo: '' }))).toBe(
      'Bad Request: there is no photo in the request',
    );
    expect(user.messages()).toEqual([]);
  });
});

describe('the other kinds of files', () => {
  it('are sent with what the bot says about them', async () => {
    const { user, api } = await openChat();
    const file = () => new InputFile(Buffer.from('bytes'), 'name.ext');
    const size = { width: 640, height: 360, duration: 5 };
    expect((await api.sendVideo(user.id, file(), size)).video).toMatchObject({
      ...size,
      file_name: 'name.ext',
    });
    expect((await api.sendAnimation(user.id, file(), size)).animation).toMatchObject(size);
    const song = { title: 'Song', performer: 'Band', duration: 9 };
    expect((await api.sendAudio(user.id, file(), song)).audio).toMatchObject(song);
    expect((await api.sendVoice(user.id, file(), { duration: 3 })).voice).toMatchObject({ duration: 3 });
    expect((await api.sendDocument(user.id, file())).document).toMatchObject({ file_size: 5 });
    expect(user.messages().map(({ kind }) => kind)).toEqual([
      'video',
      'animation',
      'audio',
      'voice',
      'document',
    ]);
    expect(user.messages().every(({ fileBytes }) => fileBytes?.toString() === 'bytes')).toBe(true);
  });
});

describe('sendMediaGroup', () => {
  const photo = () => ({ type: 'photo' as const, media: new InputFile(PICTURE) });
  const document = () => ({ type: 'document' as const, media: new InputFile(Buffer.from('x')) });

  it('sends an album', async () => {
    const { user, api } = await openChat();
    const album = await api.sendMediaGroup(user.id, [{ ...photo(), caption: 'Two' }, photo()]);
    expect(album.map(message => message.caption)).toEqual(['Two', undefined]);
    const albumIds = user.messages().map(({ message }) => message.media_group_id);
    expect(albumIds).toEqual([expect.any(String), albumIds[0]]);
  });

  it('refuses too few, too many and mixed items, and sends nothing then', async () => {
    const { user, api } = await openChat();
    // SAFETY: the tests send wrong albums on purpose.
    const refusal = (items: readonly object[]) =>
      refusalOf(api.sendMediaGroup(user.id, items as Parameters<typeof api.sendMediaGroup>[1]));
    expect(await refusal([])).toBe('Bad Request: there are no messages to send');
    expect(await refusal([photo()])).toBe('Bad Request: too few messages to send as an album');
    expect(await refusal(Array.from({ length: 11 }, photo))).toBe(
      'Bad Request: too many messages to send as an album',
    );
    expect(await refusal([document(), photo()])).toBe(
      "Bad Request: document can't be mixed with other media types",
    );
    const broken = { type: 'photo' as const, media: 'http://127.0.0.1:1/a.png' };
    expect(await refusal([photo(), broken])).toBe(
      'Bad Request: failed to send message #2 with the error message "WEBPAGE_CURL_FAILED"',
    );
    expect(user.messages()).toEqual([]);
  });
});

describe('edits of files', () => {
  it('replace the file, the caption and the keyboard', async () => {
    const { user, api } = await openChat();
    const blue = createPng(50, 50, [0, 0, 255]);
    const { message_id } = await api.sendPhoto(user.id, new InputFile(PICTURE), { caption: 'red' });
    await api.editMessageMedia(user.id, message_id, {
      type: 'photo',
      media: new InputFile(blue),
      caption: 'blue',
    });
    expect(user.lastMessage()).toMatchObject({ text: 'blue', edits: 1 });
    expect(user.lastMessage()?.fileBytes?.equals(blue)).toBe(true);
    await api.editMessageCaption(user.id, message_id, { caption: 'BLUE' });
    expect(user.lastMessage()).toMatchObject({ text: 'BLUE', kind: 'photo', edits: 2 });
    expect(await refusalOf(api.editMessageCaption(user.id, message_id, { caption: 'BLUE' }))).toContain(
      'not modified',
    );
    expect(await refusalOf(api.editMessageCaption(user.id, message_id, { caption: 'x'.repeat(1025) }))).toBe(
      'Bad Request: MEDIA_CAPTION_TOO_LONG',
    );
    expect(await refusalOf(api.editMessageText(user.id, message_id, 'x'))).toBe(
      'Bad Request: there is no text in the message to edit',
    );
  });

  it('turn a text into a photo', async () => {
    const { user, api } = await openChat();
    const { message_id } = await api.sendMessage(user.id, 'Painting…');
    await api.editMessageMedia(user.id, message_id, { type: 'photo', media: new InputFile(PICTURE) });
    expect(user.lastMessage()).toMatchObject({ messageId: message_id, kind: 'photo', text: '' });
  });
});

describe('getFile', () => {
  it('says where a file of a user can be downloaded', async () => {
    const { sandbox, user, api } = await openChat();
    user.sendPhoto(PICTURE, { caption: 'mine' });
    user.sendDocument(Buffer.from('notes'), { fileName: 'notes.txt', mimeType: 'text/plain' });
    const [photo, document] = (await api.getUpdates()).map(update => update.message);
    expect(photo).toMatchObject({ caption: 'mine' });
    expect(document?.document).toMatchObject({
      file_name: 'notes.txt',
      mime_type: 'text/plain',
      file_size: 5,
    });
    const file = await api.getFile(photo?.photo?.at(-1)?.file_id ?? '');
    expect(file.file_path).toMatch(/^photos\/file_\d+\.jpg$/);
    const download = await fetch(`${sandbox.apiRoot}/file/bot${sandbox.token}/${file.file_path}`);
    expect(Buffer.from(await download.arrayBuffer()).equals(PICTURE)).toBe(true);
    expect(sandbox.fileBytes(document?.document?.file_id ?? '').toString()).toBe('notes');
    expect(() => sandbox.fileBytes('unknown')).toThrow('no file unknown');
    expect(() => user.sendPhoto(Buffer.from('x'))).toThrow('neither PNG nor JPEG');
  });

  it('refuses unknown files and those above 20 MiB', async () => {
    const { user, api } = await openChat();
    expect(await refusalOf(api.getFile('unknown'))).toBe('Bad Request: invalid file_id');
    expect(await refusalOf(api.getFile(''))).toBe('Bad Request: file_id not specified');
    user.sendDocument(Buffer.alloc(20 * 1024 * 1024));
    user.sendDocument(Buffer.alloc(20 * 1024 * 1024 + 1));
    const [fits, tooBig] = (await api.getUpdates()).map(update => update.message?.document?.file_id ?? '');
    expect(await api.getFile(fits ?? '')).toMatchObject({ file_id: fits });
    expect(await refusalOf(api.getFile(tooBig ?? ''))).toBe('Bad Request: file is too big');
  });

  it('cannot help with an upload above 50 MB, which is refused before', async () => {
    const { user, api } = await openChat();
    const upload = api.sendDocument(user.id, new InputFile(Buffer.alloc(53 * 1024 * 1024)));
    expect(await refusalOf(upload)).toBe('Request Entity Too Large');
  });
});
