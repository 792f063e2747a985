import { fetch } from 'undici';
import { describe, expect, it } from 'vitest';
import { createPng } from '../../../sandbox/png.ts';
import { openApi, openSandbox, refusalOf } from './support.ts';

async function openChat() {
  const sandbox = await openSandbox();
  return { sandbox, user: sandbox.user({ started: true }), api: openApi(sandbox) };
}

describe('a user', () => {
  it('sends films and sounds, with the facts that Telegram states of them', async () => {
    const { user, api } = await openChat();
    user.sendVideo(undefined, { duration: 7, width: 1280, height: 720, caption: 'my film' });
    user.sendAnimation(undefined, { duration: 2 });
    user.sendVideoNote(undefined, { duration: 4 });
    user.sendAudio(Buffer.from('song'), {
      duration: 180,
      title: 'Song',
      performer: 'Band',
      fileName: 'a.mp3',
    });
    user.sendVoice(undefined, { duration: 3 });
    const messages = (await api.getUpdates()).map(update => update.message);
    expect(messages).toMatchObject([
      { caption: 'my film', video: { duration: 7, width: 1280, height: 720, mime_type: 'video/mp4' } },
      { animation: { duration: 2 }, document: { mime_type: 'video/mp4' } },
      { video_note: { duration: 4, length: 240 } },
      {
        audio: {
          duration: 180,
          title: 'Song',
          performer: 'Band',
          file_name: 'a.mp3',
          file_size: 4,
          mime_type: 'audio/mpeg',
          file_id: expect.any(String),
          file_unique_id: expect.any(String),
        },
      },
      { voice: { duration: 3, mime_type: 'audio/ogg' } },
    ]);
  });

  it('sends an album as several messages with one media_group_id', async () => {
    const { user, api } = await openChat();
    const sent = user.sendAlbum([
      { kind: 'photo', bytes: createPng(20, 10, [1, 2, 3]), caption: 'both' },
      { kind: 'video', duration: 5 },
    ]);
    user.sendAlbum([{ kind: 'document' }, { kind: 'document' }]);
    const updates = await api.getUpdates();
    expect(updates.slice(0, 2).map(update => update.update_id)).toEqual(sent.map(({ updateId }) => updateId));
    expect(updates.slice(0, 2).map(update => update.message)).toMatchObject([
      { caption: 'both', photo: [{ width: 20, height: 10 }] },
      { video: { duration: 5 } },
    ]);
    const [first, second, third, fourth] = updates.map(update => update.message?.media_group_id);
    expect(first).toEqual(expect.any(String));
    expect([second, third === fourth, third === first]).toEqual([first, true, false]);
  });

  it('cannot send what the client would not', async () => {
    const { user } = await openChat();
    expect(() => user.sendAlbum([{ kind: 'photo' }])).toThrow('too few messages to send as an album');
    expect(() => user.sendAlbum(Array.from({ length: 11 }, () => ({ kind: 'photo' as const })))).toThrow(
      'too many messages',
    );
    expect(() => user.sendAlbum([{ kind: 'audio' }, { kind: 'photo' }])).toThrow("audio can't be mixed");
    expect(() => user.sendPhoto(undefined, { caption: 'x'.repeat(1025) })).toThrow('at most 1024');
  });

  it('sends a file that is larger than what anybody holds', async () => {
    const { sandbox, user, api } = await openChat();
    user.sendVideo(undefined, { declaredBytes: 2_000_000_000 });
    user.sendDocument(Buffer.from('head'), { declaredBytes: 1000, mimeType: 'video/mp4' });
    const [video, document] = (await api.getUpdates()).map(update => update.message);
    expect(video?.video?.file_size).toBe(2_000_000_000);
    expect(await refusalOf(api.getFile(video?.video?.file_id ?? ''))).toBe('Bad Request: file is too big');
    const { file_path, file_size } = await api.getFile(document?.document?.file_id ?? '');
    const download = await fetch(`${sandbox.apiRoot}/file/bot${sandbox.token}/${file_path}`);
    const bytes = Buffer.from(await download.arrayBuffer());
    expect([file_size, bytes.length, bytes.subarray(0, 4).toString()]).toEqual([1000, 1000, 'head']);
  });
});

describe('the download of a file', () => {
  it('fails as planned, by its own name only', async () => {
    const { sandbox, user, api } = await openChat();
    user.sendDocument(Buffer.from('notes'));
    const [update] = await api.getUpdates();
    sandbox.failNext({ kind: 'error', code: 500, description: 'Internal Server Error' });
    sandbox.failNext({ method: 'file', kind: 'error', code: 404, description: 'Not Found' });
    sandbox.failNext({ method: 'file', kind: 'lost-answer' });
    const fileId = update?.message?.document?.file_id ?? '';
    expect(await refusalOf(api.getFile(fileId))).toBe('Internal Server Error');
    const { file_path } = await api.getFile(fileId);
    const download = () => fetch(`${sandbox.apiRoot}/file/bot${sandbox.token}/${file_path}`);
    expect((await download()).status).toBe(404);
    await expect(download()).rejects.toThrow('fetch failed');
    expect(await (await download()).text()).toBe('notes');
    const other = await fetch(`${sandbox.apiRoot}/file/bot${sandbox.token}/documents/file_99.bin`);
    expect(await other.json()).toEqual({ ok: false, error_code: 404, description: 'Not Found' });
    sandbox.assertHealthy();
  });
});
