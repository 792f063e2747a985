// A DNS look-up for sockets that gives no address which may not be connected to. The socket uses exactly
// the addresses that were checked, so a name that changes its answer between a check and the connection
// (DNS rebinding) gains nothing. Sockets skip the look-up for IP literals: those the caller must check.
import dns, { type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { AppError } from '../errors.ts';

/** The part of `dns.lookup` that is used: all addresses of a name. */
export type Resolve = (
  hostname: string,
  options: { readonly all: true; readonly family?: number | 'IPv4' | 'IPv6'; readonly hints?: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * One address that is not allowed refuses the whole name (DOWNLOAD_REFUSED): an honest host has no
 * private address among its public ones.
 */
export function createGuardedLookup(
  isAllowed: (address: string) => boolean,
  resolve: Resolve = dns.lookup,
): LookupFunction {
  return (hostname, options, callback) => {
    const { family, hints } = options;
    resolve(
      hostname,
      {
        all: true,
        ...(family === undefined ? {} : { family }),
        ...(hints === undefined ? {} : { hints }),
      },
      (error, addresses) => {
        const [first] = addresses ?? [];
        if (error) callback(error, []);
        else if (!first || addresses.some(({ address }) => !isAllowed(address)))
          callback(
            new AppError({
              code: 'DOWNLOAD_REFUSED',
              message: `The host ${hostname} does not resolve to public addresses only`,
            }),
            [],
          );
        else if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
    );
  };
}
