// A port for a program that has to know it before it starts, and may start on it again and again.
import { createServer } from 'node:net';

/** Below what systems hand out by themselves, to connections and to whoever asks for port 0: from 32768 or 49152 on. */
const lowest = 10_240;
const highest = 32_767;

/** A port of loopback that was free a moment ago. Others can take it only by its number, which is a random one. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      // Some ports are taken, some are not for everybody.
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
