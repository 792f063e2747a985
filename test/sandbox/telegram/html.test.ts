import { describe, expect, it } from 'vitest';
import { parseHtml } from '../../../sandbox/telegram/html.ts';

function errorOf(source: string): string {
  try {
    parseHtml(source);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('it was parsed');
}

describe('parseHtml', () => {
  it('turns every simple tag into its entity', () => {
    const tags = ['b', 'strong', 'i', 'em', 'u', 'ins', 's', 'strike', 'del', 'tg-spoiler'];
    const types = tags.map(tag => parseHtml(`<${tag}>x</${tag}>`).entities[0]?.type);
    expect(types).toEqual([
      'bold',
      'bold',
      'italic',
      'italic',
      'underline',
      'underline',
      'strikethrough',
      'strikethrough',
      'strikethrough',
      'spoiler',
    ]);
  });

  it('counts offsets and lengths in UTF-16 code units', () => {
    expect(parseHtml('🎨 <b>día 🎨</b>')).toEqual({
      text: '🎨 día 🎨',
      entities: [{ type: 'bold', offset: 3, length: 6 }],
    });
  });

  it('returns outer entities before inner ones and leaves out empty ones', () => {
    expect(parseHtml('<i>a<b>b</b></i><u></u>').entities).toEqual([
      { type: 'italic', offset: 0, length: 2 },
      { type: 'bold', offset: 1, length: 1 },
    ]);
  });

  it('reads links, with the text as the address when there is none, and drops what is no link', () => {
    expect(parseHtml('<a href="https://example.com/?a=1&amp;b=2">x</a>').entities).toEqual([
      { type: 'text_link', offset: 0, length: 1, url: 'https://example.com/?a=1&b=2' },
    ]);
    expect(parseHtml('<a>example.com</a>').entities).toEqual([
      { type: 'text_link', offset: 0, length: 11, url: 'http://example.com/' },
    ]);
    expect(parseHtml('<a href="javascript:alert(1)">x</a>')).toEqual({ text: 'x', entities: [] });
  });

  it('joins code with a language and the pre around it', () => {
    const expected = [{ type: 'pre', offset: 0, length: 1, language: 'sql' }];
    expect(parseHtml('<pre><code class="language-sql">x</code></pre>').entities).toEqual(expected);
    expect(parseHtml('<code class="language-sql"><pre>x</pre></code>').entities).toEqual(expected);
    expect(parseHtml('<code class="language-sql">x</code>').entities).toEqual([
      { type: 'code', offset: 0, length: 1 },
    ]);
    expect(parseHtml('<pre>x</pre>').entities).toEqual([{ type: 'pre', offset: 0, length: 1 }]);
  });

  it('reads spoilers, quotes and custom emoji', () => {
    const source = [
      '<span class="tg-spoiler">a</span>',
      '<blockquote>b</blockquote>',
      '<blockquote expandable>c</blockquote>',
      '<tg-emoji emoji-id="5368324170671202286">d</tg-emoji>',
    ].join('');
    expect(parseHtml(source).entities).toEqual([
      { type: 'spoiler', offset: 0, length: 1 },
      { type: 'blockquote', offset: 1, length: 1 },
      { type: 'expandable_blockquote', offset: 2, length: 1 },
      { type: 'custom_emoji', offset: 3, length: 1, custom_emoji_id: '5368324170671202286' },
    ]);
  });

  it('decodes the four named references and numbers, and leaves others as they are', () => {
    expect(parseHtml('&lt;b&gt; &amp; &quot; &#33;&#x21; &nbsp; & &').text).toBe('<b> & " !! &nbsp; & &');
  });

  it('accepts tags of any case, extra space and an end tag without a name', () => {
    expect(parseHtml('<B >x</b\n><i>y</>')).toEqual({
      text: 'xy',
      entities: [
        { type: 'bold', offset: 0, length: 1 },
        { type: 'italic', offset: 1, length: 1 },
      ],
    });
  });

  it.each([
    ['<b>x', `Can't find end tag corresponding to start tag "b"`],
    ['день <x>', 'Unsupported start tag "x" at byte offset 9'],
    ['2 < 3', 'Unsupported start tag "" at byte offset 2'],
    ['<b>x</i>', 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'],
    ['x</b>', 'Unexpected end tag at byte offset 1'],
    ['<b', 'Unclosed start tag at byte offset 0'],
    ['<a href="x', 'Unclosed start tag at byte offset 0'],
    ['<a href', 'Unclosed start tag "a" at byte offset 0'],
    ['<b>x</b', 'Unclosed end tag at byte offset 4'],
    ['<a ="x">y</a>', 'Empty attribute name in the tag "a" at byte offset 0'],
    ['<a href=x$>y</a>', 'Unexpected end of name token at byte offset 8'],
    ['<span>x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
    ['<tg-emoji emoji-id="x">y</tg-emoji>', 'Invalid custom emoji identifier specified'],
  ])('refuses %j as Telegram does', (source, description) => {
    expect(errorOf(source)).toBe(`Bad Request: can't parse entities: ${description}`);
  });
});
