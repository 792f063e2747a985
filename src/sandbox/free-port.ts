// A port for a program that must be told one before it starts.
import { type AddressInfo, createServer } from 'node:net';

/** A port of loopback that was free a moment ago; nothing keeps others from taking it first. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
