import { describe, expect, test } from 'vitest';
import { checkLink, longestLink } from '../../src/kie/link.ts';

test.each([
  'https://example.com/cat.png',
  'http://example.com:8080/cat.png?size=1#top',
  'https://1.1.1.1/cat.png',
  'https://[2606:4700::1111]/cat.png',
  'https://localhost.example.com/',
  'https://internal.example.com/file/bot/cat.png',
  'https://local.example.com/lan.svc.nip.io',
  'https://svc.example.co/',
  'https://example.com./cat.png',
])('%s may be an input', text => {
  expect(checkLink(text)).toEqual({ ok: true, url: text });
});

test('what is sent is the link as it was understood', () => {
  expect(checkLink(' HTTPS://Пример.РФ/к т ')).toEqual({
    ok: true,
    url: 'https://xn--e1afmkfd.xn--p1ai/%D0%BA%20%D1%82',
  });
});

test.each([
  ['', 'not_a_link'],
  ['cat.png', 'not_a_link'],
  ['example.com/cat.png', 'not_a_link'],
  ['https://', 'not_a_link'],
  ['ftp://example.com/cat.png', 'scheme'],
  ['file:///etc/passwd', 'scheme'],
  ['data:image/png;base64,AAAA', 'scheme'],
  ['javascript:alert(1)', 'scheme'],
  ['https://user@example.com/', 'login'],
  ['https://user:password@example.com/', 'login'],
  ['https://api.telegram.org/file/bot123:AAAA/photos/a.jpg', 'telegram_file'],
  ['https://API.telegram.org./file/bot123:AAAA/photos/a.jpg', 'telegram_file'],
  ['https://bots.example.com/file/bot123456:AAbb-cc_dd/photos/a.jpg', 'telegram_file'],
  ['https://bots.example.com/file/bot123456%3AAAbb/photos/a.jpg', 'telegram_file'],
  ['https://proxy.example.com/?url=https://api.telegram.org/file/bot123456:AAbb/a.jpg', 'telegram_file'],
])('%j is refused as %s', (text, problem) => {
  expect(checkLink(text)).toEqual({ ok: false, problem });
});

describe.each([
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://0.0.0.0/',
  'http://[::1]/',
  'http://localhost/',
  'http://LOCALHOST./',
  'http://①②⑦.0.0.1/',
  'http://0177.0.0.1/',
])('the loopback link %s', text => {
  test('is refused', () => {
    expect(checkLink(text)).toEqual({ ok: false, problem: 'private_host' });
  });
});

test.each([
  'http://10.0.0.1/',
  'http://192.168.1.1:9000/',
  'http://169.254.169.254/latest/meta-data/',
  'http://[fd00::1]/',
  'http://[::ffff:10.0.0.1]/',
  'http://a.localhost/',
  'http://printer.local/',
  'http://metadata.google.internal/',
  'http://metadata.google.internal./',
  'http://router.home.arpa/',
  'http://intranet/',
  'http://localhost../',
  'http://a.localhost../',
  'http://metadata.google.internal../',
  'http://a..example.com/',
  'http://nas.lan/',
  'http://api.default.svc/',
  'http://api.default.svc.cluster.local/',
  'http://db.service.consul/',
  'http://gateway.docker.internal/',
  'http://127.0.0.1.nip.io/',
  'http://169-254-169-254.sslip.io/',
  'http://app.localtest.me/',
  'http://10.0.0.1./',
  'http://0xa000001/',
  'http://012.0.0.1/',
  'http://[::ffff:7f00:1]/',
  'http://[64:ff9b::a00:1]/',
  'http://[2002:a00:1::]/',
  'http://[fe80::1]/',
])('the private link %s is refused, also where loopback is allowed', text => {
  expect(checkLink(text)).toEqual({ ok: false, problem: 'private_host' });
  expect(checkLink(text, { allowLoopback: true })).toEqual({ ok: false, problem: 'private_host' });
});

test('loopback may be allowed, for the sandbox', () => {
  for (const url of ['http://127.0.0.1:8080/a.png', 'http://localhost:8080/a.png', 'http://[::1]:8080/a.png'])
    expect(checkLink(url, { allowLoopback: true })).toEqual({ ok: true, url });
});

test('the greatest length counts, as typed and as sent', () => {
  const start = 'https://example.com/';
  const longest = start + 'a'.repeat(longestLink - start.length);
  expect(checkLink(longest)).toEqual({ ok: true, url: longest });
  expect(checkLink(`${longest}a`)).toEqual({ ok: false, problem: 'too_long' });
  expect(checkLink(start + 'я'.repeat(400))).toEqual({ ok: false, problem: 'too_long' });
});
