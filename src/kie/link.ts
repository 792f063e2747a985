// Judges links that users paste as inputs. KIE.ai fetches them, not we, and resolves their names then; so only
// what a link itself shows can be refused here: another scheme, a login, a host that is not public, and URLs of
// Telegram's files, which hold a bot's token. Pure.
import { isIP } from 'node:net';
import { isLoopbackAddress, isPublicAddress } from './public-address.ts';

export type LinkProblem =
  | 'not_a_link'
  | 'too_long'
  /** Another scheme than http and https. */
  | 'scheme'
  /** A user name or a password in it. */
  | 'login'
  | 'private_host'
  | 'telegram_file';

export type LinkVerdict =
  /** `url` is the link as it was understood: send this one, not what was typed. */
  { readonly ok: true; readonly url: string } | { readonly ok: false; readonly problem: LinkProblem };

export interface LinkRules {
  /** For the sandbox, whose files lie on loopback. */
  readonly allowLoopback?: boolean;
}

export const longestLink = 2_000;

/**
 * Zones that no public name server serves: reserved ones (RFC 6761, 6762, 7686, 8375, 9476, ICANN's `internal`), and
 * those that routers, companies, containers and clusters use for their own networks.
 */
const privateZones = [
  ...['localhost', 'local', 'internal', 'home.arpa', 'test', 'invalid', 'onion', 'alt'],
  ...['lan', 'home', 'corp', 'intranet', 'private', 'localdomain'],
  ...['svc', 'consul', 'docker', 'kubernetes'],
];
/** Public services whose names resolve to whatever address stands in them, or to loopback. */
const addressZones = [
  ...['nip.io', 'sslip.io', 'xip.io', 'traefik.me', 'local.gd', 'backname.io', '1u.ms', 'rbndr.us'],
  ...['localtest.me', 'lvh.me', 'vcap.me', 'lacolhost.com', 'localho.st'],
];
/** As the Bot API puts it into paths; a server of one's own for it, or a proxy, can have any host. */
const botToken = /\/bot\d+(?::|%3a)[\w-]+/i;

/** By the text alone: nothing is asked of the network. `allowLoopback`: for stand-ins. */
export function checkLink(text: string, { allowLoopback = false }: LinkRules = {}): LinkVerdict {
  // Before parsing: the parser takes text of any length.
  if (text.length > longestLink) return { ok: false, problem: 'too_long' };
  const url = URL.parse(text);
  if (!url) return { ok: false, problem: 'not_a_link' };
  const problem = problemOf(url, allowLoopback);
  return problem === undefined ? { ok: true, url: url.href } : { ok: false, problem };
}

function problemOf(url: URL, allowLoopback: boolean): LinkProblem | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'scheme';
  // Escapes and punycode can make it longer than what was typed.
  if (url.href.length > longestLink) return 'too_long';
  if (url.username || url.password) return 'login';
  // The parser has lowered the case and written IPv4 in its one usual form.
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (host === 'api.telegram.org' || botToken.test(url.href)) return 'telegram_file';
  if (allowLoopback && (host === 'localhost' || isLoopbackAddress(host))) return undefined;
  return isPublicHost(host) ? undefined : 'private_host';
}

function isPublicHost(host: string): boolean {
  if (isIP(host)) return isPublicAddress(host);
  // A name without a dot is one of some local network; an empty label is in no name, but some resolvers forgive it.
  if (!host.includes('.') || host.split('.').includes('')) return false;
  return ![...privateZones, ...addressZones].some(zone => host === zone || host.endsWith(`.${zone}`));
}
