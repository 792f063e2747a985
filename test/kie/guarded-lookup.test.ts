import type { LookupAddress, LookupOptions } from 'node:dns';
import { expect, test } from 'vitest';
import { createGuardedLookup, type Resolve } from '../../src/kie/guarded-lookup.ts';
import { isPublicAddress } from '../../src/kie/public-address.ts';

const publicAddress = { address: '93.184.216.34', family: 4 };
const privateAddress = { address: '10.0.0.1', family: 4 };

type Found = { error: Error | null; address: string | LookupAddress[]; family: number | undefined };

/** Looks a name up whose answers come one after the other, as from a DNS server that changes its mind. */
function lookUp(answers: LookupAddress[][], options: LookupOptions = { all: true }): () => Promise<Found> {
  const remaining = [...answers];
  const resolve: Resolve = (_hostname, _options, callback) => callback(null, remaining.shift() ?? []);
  const lookup = createGuardedLookup(isPublicAddress, resolve);
  return () =>
    new Promise(done =>
      lookup('host.example', options, (error, address, family) => done({ error, address, family })),
    );
}

test('public addresses are given on, all of them or the first', async () => {
  const all = await lookUp([[publicAddress]])();
  expect(all).toMatchObject({ error: null, address: [publicAddress] });
  const one = await lookUp([[publicAddress]], { all: false })();
  expect(one).toMatchObject({ error: null, address: '93.184.216.34', family: 4 });
});

test.each([
  ['a private address', [privateAddress]],
  ['a private address among public ones', [publicAddress, privateAddress]],
  ['a mapped loopback address', [{ address: '::ffff:127.0.0.1', family: 6 }]],
  ['no address', []],
])('a name with %s is refused', async (_name, addresses) => {
  expect(await lookUp([addresses])()).toMatchObject({ error: { code: 'DOWNLOAD_REFUSED' }, address: [] });
});

test('a name that turns private after its first look-up is refused at the second', async () => {
  const again = lookUp([[publicAddress], [privateAddress]]);
  expect((await again()).error).toBeNull();
  expect((await again()).error).toMatchObject({ code: 'DOWNLOAD_REFUSED' });
});

test('an error of the resolver stays what it is', async () => {
  const failure = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  const lookup = createGuardedLookup(isPublicAddress, (_hostname, _options, callback) =>
    callback(failure, []),
  );
  const error = await new Promise(done => lookup('host.example', {}, done));
  expect(error).toBe(failure);
});
