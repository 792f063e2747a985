// Owns the question whether a URL stays on this machine. The sandbox talks to nothing else: neither when it delivers
// an update to a webhook nor when it downloads a file that a bot names by URL.

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '[::1]']);
const LOOPBACK_IPV4 = /^127(?:\.\d{1,3}){3}$/;

/** Whether the host is this machine itself, by name or by address. Names are not resolved. */
export function isLoopback(url: URL): boolean {
  return LOOPBACK_HOSTS.has(url.hostname) || LOOPBACK_IPV4.test(url.hostname);
}
