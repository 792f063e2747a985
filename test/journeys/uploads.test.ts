// Files as inputs: what users send reaches KIE.ai as a file of ours and never as Telegram's own address, which holds
// the bot's token; links are passed on as they are, unless nobody else could open them.
import { describe, expect, test } from 'vitest';
import type { SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import { type BotUnderTest, quickTimings, startBot } from '../support/bot.ts';
import { treeOf } from '../support/span-tree.ts';
import { acceptedRun, messageChain, paidTask, storyOf, traceEnded } from '../support/story.ts';
import { buttonsOf, prompt, walkToModel } from '../support/walk.ts';

const takenFile = messageChain(
  'MESSAGE_RECEIVED',
  'PARAM_INPUT',
  'PARAM_ACCEPTED',
  'UI_RENDER',
  'DISPATCH_OK',
);
const megabyte = 1_048_576;
/** Flat prices for what is not for sale yet; 1 credit is 1 rouble. */
const priced = {
  prices: {
    'kling/ai-avatar-standard': 10,
    'bytedance/seedance-2-fast': 5,
    'topaz/video-upscale': 7,
    'elevenlabs/audio-isolation': 2,
  },
} as const;

describe('a file that a user sends', () => {
  test('goes from Telegram to the file host of KIE.ai, which never sees the address with the token', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Recraft Background Removal', /Send/);
    const photo = user.sendPhoto();
    await user.waitForMessage(/Check and run/, { after: photo });
    const taken = await storyOf(bot, photo);
    expect(taken.chain).toEqual(takenFile);
    expect(taken.line('PARAM_INPUT')).toMatchObject({
      param_name: 'image',
      value: 'file(image)',
      source: 'upload',
    });
    const run = user.click('🚀 Run');
    const story = await storyOf(bot, run, 'RESULT_DELIVERED');
    await traceEnded(bot, story.cid);

    expect(story.chain.filter(name => name !== 'TASK_PROGRESS' && name !== 'KIE_CALLBACK')).toEqual([
      ...acceptedRun,
      ...paidTask,
      'RESULT_DELIVERED',
    ]);
    const [upload] = bot.kie.uploads();
    expect(upload?.mimeType).toBe('image/jpeg');
    expect(upload?.bytes.equals(bot.telegram.fileBytes(fileIdOf(bot)))).toBe(true);
    expect(bot.kie.tasks()[0]?.input).toEqual({ image: expect.stringMatching(`^${bot.kie.uploadUrl}/`) });
    const token = bot.telegram.token.split(':')[1] ?? '';
    expect(JSON.stringify(bot.kie.tasks())).not.toContain(token);
    expect(bot.output.join('')).not.toContain(token);
    const tree = treeOf(bot.spansOf(story.cid));
    const submitAt = tree.indexOf('    task submit');
    expect(tree.slice(submitAt, submitAt + 5)).toEqual([
      '    task submit',
      '      telegram getFile',
      '      telegram download',
      '      kie upload',
      '      kie createTask',
    ]);
  });

  test.each<[string, (user: SandboxUser) => SentUpdate, string]>([
    ['a picture sent as a file', user => user.sendDocument(png, file('a.png', 'image/png')), 'image/png'],
    ['a photo', user => user.sendPhoto(), 'image/jpeg'],
  ])('may be %s', async (_what, send, mimeType) => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Recraft Crisp Upscale', /Send/);
    await user.waitForMessage(/Check and run/, { after: send(user) });
    await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    expect(bot.kie.uploads()).toMatchObject([{ mimeType }]);
  });

  test.each<[string, (user: SandboxUser) => SentUpdate]>([
    ['a video', user => user.sendVideo()],
    ['a video sent as a file', user => user.sendDocument(Buffer.from('film'), file('a.mp4', 'video/mp4'))],
  ])('may be %s where one is asked for', async (_what, send) => {
    await using bot = await startBot(priced);
    const user = bot.user();
    await walkToModel(user, 'Topaz Video Upscale', /Send/);
    await user.waitForMessage(/settings/, { after: send(user) });
    await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
    await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    expect(bot.kie.uploads()).toMatchObject([{ mimeType: 'video/mp4' }]);
    expect(user.messages().filter(({ kind }) => kind === 'video')).toHaveLength(1);
  });

  test.each<[string, (user: SandboxUser) => SentUpdate, string]>([
    ['a voice message', user => user.sendVoice(), 'audio/ogg'],
    ['a track', user => user.sendAudio(), 'audio/mpeg'],
  ])('may be %s where sound is asked for', async (_what, send, mimeType) => {
    await using bot = await startBot(priced);
    const user = bot.user();
    await walkToModel(user, 'Kling AI Avatar Standard', /step 1 of 3/);
    await user.waitForMessage(/step 2 of 3/, { after: user.say(prompt) });
    await user.waitForMessage(/step 3 of 3/, { after: send(user) });
    await user.waitForMessage(/Check and run/, { after: user.sendPhoto() });
    await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    expect(bot.kie.uploads().map(upload => upload.mimeType)).toEqual([mimeType, 'image/jpeg']);
    const { input } = bot.kie.tasks()[0] ?? {};
    expect(input).toMatchObject({ prompt, audio_url: expect.any(String), image_url: expect.any(String) });
  });
});

describe('an album', () => {
  test('is one list of files and one screen, drawn once and edited from picture to picture', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Google Nano Banana Edit', /step 1 of 2/);
    await user.waitForMessage(/step 2 of 2/, { after: user.say('put them together') });
    const before = user.messages().length;
    const sent = user.sendAlbum([{ kind: 'photo' }, { kind: 'photo' }, { kind: 'photo' }]);
    const screen = await user.waitForMessage(/So far: 3 of 10/);
    const stories = await Promise.all(sent.map(update => storyOf(bot, update)));
    for (const { chain } of stories) expect(chain).toEqual(takenFile);
    expect(stories.map(story => story.line('UI_RENDER').operation)).toEqual(['send', 'edit', 'edit']);
    expect(user.messages()).toHaveLength(before + 1);
    expect(buttonsOf(screen)).toEqual(['▶️ Go on', '◀️ Back', '✖️ Cancel']);

    const options = await user.waitForMessage(/settings/, { after: user.click('▶️ Go on') });
    expect(options.text).toContain(': 3 files');
    await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
    await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    expect(bot.kie.uploads()).toHaveLength(3);
    const urls = bot.kie.tasks()[0]?.input.image_urls;
    expect(urls).toHaveLength(3);
    expect(new Set(Array.isArray(urls) ? urls : []).size).toBe(3);
  });

  test('with more than the model takes keeps what fits, and says how many that is', async () => {
    await using bot = await startBot(priced);
    const user = bot.user();
    await walkToModel(user, 'ByteDance Seedance 2.0 Fast', /settings/);
    await user.waitForMessage(/setting \d of 10/, { after: user.click('✏️ Reference videos') });
    const sent = user.sendAlbum(Array.from({ length: 5 }, () => ({ kind: 'video' as const })));
    await user.waitForMessage(/Reference videos: 3 files/);
    await user.waitForMessage(/^Too many files: 1–3 allowed\.$/);
    const stories = await Promise.all(sent.map(update => storyOf(bot, update)));
    expect(stories.map(story => story.line('DISPATCH_OK').reason_code)).toEqual([
      'SUCCESS',
      'SUCCESS',
      'SUCCESS',
      'VALIDATION_FAILED',
      'VALIDATION_FAILED',
    ]);
    await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
    await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    expect(bot.kie.tasks()[0]?.input.reference_video_urls).toHaveLength(3);
  });

  test('and single files add up in one list, which can be emptied', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Google Nano Banana Edit', /step 1 of 2/);
    await user.waitForMessage(/step 2 of 2/, { after: user.say('put them together') });
    await user.waitForMessage(/So far: 1 of 10/, { after: user.sendPhoto() });
    user.sendAlbum([{ kind: 'photo' }, { kind: 'photo' }]);
    await user.waitForMessage(/So far: 3 of 10/);
    const links = user.say('https://files.example.com/a.png https://files.example.com/b.png');
    await user.waitForMessage(/So far: 5 of 10/, { after: links });
    expect((await storyOf(bot, links)).line('PARAM_INPUT')).toMatchObject({ source: 'text' });
  });
});

describe('a file that does not fit', () => {
  test.each<[string, (user: SandboxUser) => SentUpdate, string]>([
    [
      'of another medium',
      user => user.sendVideo(),
      'This is a different kind of file. Needed: JPEG, PNG, WEBP; ≤ 5 MB.',
    ],
    [
      'of a format that the model does not read',
      user => user.sendDocument(Buffer.from('BM'), file('a.bmp', 'image/bmp')),
      'This format is not supported. Needed: JPEG, PNG, WEBP; ≤ 5 MB.',
    ],
    [
      'over the limit of the model',
      user => user.sendDocument(png, { ...file('a.png', 'image/png'), declaredBytes: 6 * megabyte }),
      'The file is too big. Needed: JPEG, PNG, WEBP; ≤ 5 MB.',
    ],
    [
      'that is no file at all',
      user => user.say('my cat'),
      'A file or a link is needed: JPEG, PNG, WEBP; ≤ 5 MB.',
    ],
  ])('%s is refused with what would fit', async (_what, send, hint) => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Recraft Background Removal', /Send/);
    const sent = send(user);
    await user.waitForMessage(({ text }) => text === hint, { after: sent });
    const story = await storyOf(bot, sent);
    expect(story.chain).toEqual(
      messageChain('MESSAGE_RECEIVED', 'PARAM_INPUT', 'PARAM_VALIDATION_FAILED', 'DISPATCH_OK'),
    );
    expect(story.line('PARAM_VALIDATION_FAILED')).toMatchObject({
      param_name: 'image',
      hint_to_user: hint,
      reason_code: 'VALIDATION_FAILED',
      allowed: 'JPEG, PNG, WEBP; ≤ 5 MB',
    });
    await user.waitForMessage(/Check and run/, { after: user.sendPhoto() });
  });

  test('over the 20 MB that Telegram gives to bots is asked for as a link, which is taken', async () => {
    await using bot = await startBot(priced);
    const user = bot.user();
    await walkToModel(user, 'Topaz Video Upscale', /Send/);
    const large = user.sendVideo(undefined, { declaredBytes: 21 * megabyte });
    const hint = await user.waitForMessage(/Send a link/, { after: large });
    expect(hint.text).toBe('Telegram does not give me files this big (≤ 20 MB). Send a link to it instead.');
    await storyOf(bot, large);
    await user.waitForMessage(/settings/, { after: user.say('https://files.example.com/large.mp4') });
  });

  test('says so in Russian, too, by what it is and not by a word of the code', async () => {
    await using bot = await startBot(priced);
    const user = bot.user({ languageCode: 'ru' });
    await user.waitForMessage(/Что создадим/, { after: user.start() });
    await user.waitForMessage(/Нашлось/, { after: user.say('seedance 2.0 fast') });
    await user.waitForMessage(/Вопросов/, { after: user.click({ text: /^ByteDance/ }) });
    await user.waitForMessage(/параметры/, { after: user.click('✨ Создать') });
    const question = await user.waitForMessage(/параметр 4 из 10/, {
      after: user.click('✏️ Первый кадр'),
    });
    expect(question.text).toContain('\n\nОтправьте картинку или ссылку на неё.');
    const wrong = user.sendVideo();
    await user.waitForMessage(/^Это другой вид файла\. Нужно: картинка\.$/, { after: wrong });
  });
});

describe('a link', () => {
  test('is passed to KIE.ai as it is, and nothing is uploaded', async () => {
    await using bot = await startBot();
    const url = await resultUrl(bot);
    const user = bot.user();
    await walkToModel(user, 'Recraft Background Removal', /Send/);
    const link = user.say(url);
    await user.waitForMessage(/Check and run/, { after: link });
    expect((await storyOf(bot, link)).line('PARAM_INPUT')).toMatchObject({
      param_name: 'image',
      value: `text(${url.length})`,
      source: 'text',
    });
    await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    expect(bot.kie.tasks().at(-1)?.input).toEqual({ image: url });
    expect(bot.kie.uploads()).toEqual([]);
  });

  test.each([
    ['a private address', 'http://192.168.1.10/a.png', /^This link does not open for others\./],
    ['a name of a local network', 'https://nas.local/a.png', /^This link does not open for others\./],
    ['a login in it', 'https://me:secret@example.com/a.png', /^This link does not open for others\./],
    [
      'a file of a bot of Telegram',
      'https://api.telegram.org/file/bot1:abc/photos/a.jpg',
      /^This link does not open for others\./,
    ],
    ['another scheme', 'ftp://example.com/a.png', /^This link cannot be used\./],
  ])('with %s is refused, and is in no line', async (_what, url, hint) => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Recraft Background Removal', /Send/);
    const sent = user.say(url);
    await user.waitForMessage(hint, { after: sent });
    expect((await storyOf(bot, sent)).line('PARAM_VALIDATION_FAILED')).toMatchObject({
      reason_code: 'VALIDATION_FAILED',
    });
    expect(bot.output.join('')).not.toContain(url);
  });

  test('that KIE.ai cannot open ends in FILE_UNREACHABLE, with the money back', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Recraft Background Removal', /Send/);
    await user.waitForMessage(/Check and run/, { after: user.say(`${bot.kie.apiUrl}/files/none.png`) });
    const { cid } = await failedRun(bot, user);
    expect(await moneyOf(bot)).toEqual({ available: '100000', held: '0' });
    expect(bot.linesOf(cid).find(({ name }) => name === 'TASK_FAILED')).toMatchObject({
      reason_code: 'FILE_UNREACHABLE',
      reason_detail: 'KIE.ai answered 451',
    });
  });
});

describe('when an order is given', () => {
  test('a file that Telegram does not have any more ends it, unsent, with the money back', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Recraft Background Removal', /Send/);
    await user.waitForMessage(/Check and run/, { after: user.sendPhoto() });
    bot.telegram.failNext({
      method: 'getFile',
      kind: 'error',
      code: 400,
      description: 'Bad Request: wrong file_id or the file is temporarily unavailable',
    });
    const { cid, text } = await failedRun(bot, user);
    expect(text).toContain(
      'Your file could not be opened. Press “Try again”, then “Change”, and send it again',
    );
    expect(text).toContain('Your money is back on your balance.');
    expect(bot.linesOf(cid).find(({ name }) => name === 'TASK_FAILED')).toMatchObject({
      reason_code: 'FILE_UNREACHABLE',
      error_type: 'INPUT_FILE_GONE',
    });
    expect(await moneyOf(bot)).toEqual({ available: '100000', held: '0' });
    expect(bot.kie.createdCount()).toBe(0);

    // As the text says.
    await user.waitForMessage(/Check and run/, { after: user.click('🔁 Try again') });
    const options = await user.waitForMessage(/settings/, { after: user.click('✏️ Change') });
    const edit = buttonsOf(options)[0] ?? '';
    await user.waitForMessage(/Send/, { after: user.click(edit) });
    await user.waitForMessage(/settings/, { after: user.sendPhoto() });
    await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
    await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    expect(bot.kie.createdCount()).toBe(1);
  });

  test('a file host that is down for a moment is asked again, and the order goes through once', async () => {
    await using bot = await startBot();
    bot.kie.failNext({ at: 'upload', does: 'answer', code: 500, httpStatus: 500 }, 5);
    const user = bot.user();
    await walkToModel(user, 'Recraft Background Removal', /Send/);
    await user.waitForMessage(/Check and run/, { after: user.sendPhoto() });
    const { cid } = await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    expect(bot.linesOf(cid).map(({ operation }) => operation)).toEqual(
      expect.arrayContaining(['store files again', 'files stored', 'submitted']),
    );
    expect(bot.kie.createdCount()).toBe(1);
    expect(bot.kie.uploads()).toHaveLength(1);
    expect(await moneyOf(bot)).toEqual({ available: '99900', held: '0' });
  });

  test('a file host that stays down ends it, with the money back', async () => {
    await using bot = await startBot({ overrides: { timings: { ...quickTimings, submitWindowMs: 1_000 } } });
    bot.kie.failNext({ at: 'upload', does: 'answer', code: 500, httpStatus: 500 }, 1_000);
    const user = bot.user();
    await walkToModel(user, 'Recraft Background Removal', /Send/);
    await user.waitForMessage(/Check and run/, { after: user.sendPhoto() });
    const { text } = await failedRun(bot, user);
    expect(text).toContain('The generation service failed. Try again');
    expect(await moneyOf(bot)).toEqual({ available: '100000', held: '0' });
    expect(bot.kie.createdCount()).toBe(0);
  });
});

const png = Buffer.from('89504e470d0a1a0a', 'hex');

const file = (fileName: string, mimeType: string) => ({ fileName, mimeType });

/** What Telegram calls the picture that the form holds. */
function fileIdOf(bot: BotUnderTest): string {
  const [call] = bot.telegram.calls('getFile');
  return String(call?.payload.file_id);
}

/** Runs what is confirmed, up to the notice of its failure. */
async function failedRun(bot: BotUnderTest, user: SandboxUser): Promise<{ cid: string; text: string }> {
  const run = user.click('🚀 Run');
  const { cid } = await storyOf(bot, run, 'RESULT_DELIVERED');
  expect(bot.linesOf(cid).find(({ name }) => name === 'RESULT_DELIVERED')).toMatchObject({
    operation: 'failure',
  });
  return { cid, text: user.lastMessage()?.text ?? '' };
}

/** The address of a picture that is really there: one that was made before. */
async function resultUrl(bot: BotUnderTest): Promise<string> {
  const maker = bot.user();
  await walkToModel(maker, 'Z-Image', /step 1 of 2/);
  await maker.waitForMessage(/step 2 of 2/, { after: maker.say(prompt) });
  await maker.waitForMessage(/Check and run/, { after: maker.click('1:1') });
  await storyOf(bot, maker.click('🚀 Run'), 'RESULT_DELIVERED');
  const [row] = await bot.database.query<{ url: string }>('select url from deliveries');
  return row?.url ?? '';
}

async function moneyOf(bot: BotUnderTest): Promise<object | undefined> {
  return (await bot.database.query('select available, held from wallets'))[0];
}
