// What an order may hold and what it costs, by examples worked out by hand; models.test.ts goes through all the
// facts mechanically.
import fastify from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { closedUrl } from '../../kie/loopback-server.ts';
import { create, start } from './support.ts';

const prompt = 'a red fox';
const nobody = 'http://127.0.0.1:9/nobody.png';
const turbo = { prompt, aspect_ratio: '16:9', resolution: '720p' };

describe('values', () => {
  test.each<[string, string, object, string]>([
    ['a text for a number', 'wan/2-7-image-to-video', { prompt, duration: '5' }, 'duration'],
    ['a number for a text', 'kling/v2-1-master-text-to-video', { prompt, duration: 5 }, 'duration'],
    [
      'a number in a text above its range',
      'kling/v3-turbo-text-to-video',
      { ...turbo, duration: '16' },
      'duration',
    ],
    ['a text that holds no number', 'kling/v3-turbo-text-to-video', { ...turbo, duration: '5s' }, 'duration'],
    ['a fraction of a whole number', 'wan/2-7-image-to-video', { prompt, duration: 4.5 }, 'duration'],
    ['an empty text where one is required', 'google/nano-banana', { prompt: '' }, 'prompt'],
    [
      'an empty list where one is required',
      'google/nano-banana-edit',
      { prompt, image_urls: [] },
      'image_urls',
    ],
    ['one address for a list', 'google/nano-banana-edit', { prompt, image_urls: nobody }, 'image_urls'],
    ['a list for one address', 'recraft/crisp-upscale', { image: [nobody] }, 'image'],
    ['bytes for an address', 'recraft/crisp-upscale', { image: 'data:image/png;base64,AAAA' }, 'image'],
    [
      'items that lack a field',
      'elevenlabs/text-to-dialogue-v3',
      { dialogue: [{ text: 'Hello' }] },
      'dialogue',
    ],
    ['a name that every object has', 'google/nano-banana', { prompt, constructor: 'x' }, 'constructor'],
    ['none of those of which one is needed', 'wan/2-7-image-to-video', { prompt }, 'first_clip_url'],
    [
      'two that exclude each other',
      'bytedance/seedance-2',
      { first_frame_url: nobody, reference_image_urls: [nobody] },
      'reference_image_urls',
    ],
  ])('%s: refused, and named', async (_name, model, input, parameter) => {
    const kie = await start();
    expect(await create(kie, { model, input })).toMatchObject({
      code: 422,
      msg: expect.stringContaining(parameter),
    });
    expect(kie.createdCount()).toBe(0);
  });

  test('lengths count characters, not the halves of an emoji', async () => {
    const kie = await start();
    const order = (length: number) => ({
      model: 'z-image',
      input: { prompt: '🦊'.repeat(length), aspect_ratio: '1:1' },
    });
    expect((await create(kie, order(1000))).code).toBe(200);
    expect((await create(kie, order(1001))).code).toBe(422);
  });

  test('what other values require is required only with them', async () => {
    const kie = await start();
    const song = { prompt, model: 'V5', instrumental: false, callBackUrl: nobody };
    expect((await create(kie, { ...song, customMode: false }, 'suno')).code).toBe(200);
    expect((await create(kie, { ...song, customMode: true }, 'suno')).msg).toBe('style: required');
    const styled = { ...song, customMode: true, style: 'jazz' };
    expect((await create(kie, styled, 'suno')).msg).toBe('title: required');
    expect((await create(kie, { ...styled, title: 'Fox' }, 'suno')).code).toBe(200);
  });
});

describe('credits', () => {
  const clip = { prompt, aspect_ratio: '16:9' };
  test.each<[number, string, object]>([
    [4, 'google/nano-banana', { prompt }],
    [15, 'bytedance/seedream-v4-text-to-image', { prompt, max_images: 3 }],
    [110, 'kling-2.6/text-to-video', { ...clip, duration: '5', sound: true }],
    [160, 'kling/v2-1-master-text-to-video', { prompt }],
    [320, 'kling/v2-1-master-text-to-video', { prompt, duration: '10' }],
    [40, 'grok-imagine/text-to-video', { prompt, duration: 15, resolution: '720p' }],
    [22.5, 'bytedance/v1-lite-text-to-video', { prompt }],
    [100, 'bytedance/v1-lite-text-to-video', { prompt, duration: '10', resolution: '1080p' }],
    [0.06, 'elevenlabs/text-to-speech-turbo-2-5', { text: 'ten chars.' }],
    [10, 'wan/2-7-image', { prompt }],
  ])('%f for %s with %o', async (credits, model, input) => {
    const kie = await start();
    expect(await create(kie, { model, input })).toMatchObject({ code: 200 });
    expect(kie.tasks()).toMatchObject([{ credits }]);
    expect(kie.credits()).toBeCloseTo(1000 - credits, 4);
  });
});

describe('files of an order', () => {
  const edit = (...image_urls: string[]) => ({
    model: 'google/nano-banana-edit',
    input: { prompt, image_urls },
  });

  async function startHost(): Promise<string> {
    const server = fastify({ forceCloseConnections: true });
    server.get('/picture', (_request, reply) => reply.type('image/webp').send('picture'));
    server.get('/clip', (_request, reply) => reply.type('video/mp4').send('clip'));
    server.get('/plain', (_request, reply) => reply.type('application/octet-stream').send('bytes'));
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => server.close());
    return url;
  }

  test('are fetched before the order is taken', async () => {
    const [kie, host] = await Promise.all([start(), startHost()]);
    expect(await create(kie, edit(`${host}/picture`, `${host}/plain`))).toMatchObject({ code: 200 });
  });

  test('answer 451 when one of them cannot be fetched', async () => {
    const [kie, host, closed] = await Promise.all([start(), startHost(), closedUrl()]);
    for (const bad of [`${host}/nothing`, closed, 'https://example.com/picture.png'])
      expect(await create(kie, edit(`${host}/picture`, bad))).toMatchObject({
        code: 451,
        msg: expect.stringContaining('image_urls'),
      });
    expect(kie.createdCount()).toBe(0);
    expect(kie.credits()).toBe(1000);
  });

  test('must be of the kind that the parameter names', async () => {
    const [kie, host] = await Promise.all([start(), startHost()]);
    const answer = await create(kie, edit(`${host}/clip`));
    expect(answer).toMatchObject({ code: 422, msg: 'image_urls: video/mp4 is no image file' });
  });
});
