import { expect, test } from 'vitest';
import { isLoopbackAddress, isPublicAddress } from '../../src/kie/public-address.ts';

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '172.15.255.255',
  '172.32.0.0',
  '100.128.0.0',
  '2606:4700::1111',
  '2a00:1450::1',
])('%s is public', address => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  ['this host', '0.0.0.0'],
  ['private', '10.1.2.3'],
  ['private', '172.16.0.1'],
  ['private', '172.31.255.255'],
  ['private', '192.168.1.1'],
  ['carrier-grade NAT', '100.64.0.1'],
  ['carrier-grade NAT', '100.127.255.255'],
  ['loopback', '127.0.0.1'],
  ['loopback', '127.255.0.1'],
  ['link-local and cloud metadata', '169.254.169.254'],
  ['benchmarking', '198.19.0.1'],
  ['documentation', '203.0.113.5'],
  ['multicast', '224.0.0.1'],
  ['reserved', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['unspecified', '::'],
  ['loopback', '::1'],
  ['mapped private IPv4', '::ffff:10.0.0.1'],
  ['mapped public IPv4', '::ffff:8.8.8.8'],
  ['mapped loopback in hex', '::ffff:7f00:1'],
  ['IPv4-compatible', '::127.0.0.1'],
  ['NAT64', '64:ff9b::7f00:1'],
  ['6to4 of a private address', '2002:0a00:0001::1'],
  ['Teredo', '2001:0:4136:e378::1'],
  ['documentation', '2001:db8::1'],
  ['unique local', 'fd00::1'],
  ['link-local', 'fe80::1'],
  ['link-local with a zone', 'fe80::1%eth0'],
  ['multicast', 'ff02::1'],
  ['a name', 'localhost'],
  ['nothing', ''],
])('%s (%s) is not public', (_kind, address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test('loopback is 127.0.0.0/8 and ::1 and nothing that only looks like it', () => {
  for (const address of ['127.0.0.1', '127.1.2.3', '::1']) expect(isLoopbackAddress(address)).toBe(true);
  for (const address of ['128.0.0.1', '::ffff:127.0.0.1', '::2', 'localhost', '127.0.0.1.example.com'])
    expect(isLoopbackAddress(address)).toBe(false);
});
