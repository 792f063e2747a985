// Opens the port of the HTTP server, and says which variable to correct where that is not possible.
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { AppError, errorMessage, errorType } from '../errors.ts';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
}

/** Rejects with AppError CONFIG_INVALID naming the variable to correct. */
export async function listen(server: FastifyInstance, { host, port }: ListenOptions): Promise<AddressInfo> {
  try {
    await server.listen({ host, port });
  } catch (cause) {
    const type = errorType(cause);
    const isPort = type === 'EADDRINUSE' || type === 'EACCES';
    throw new AppError({
      code: 'CONFIG_INVALID',
      message: isPort
        ? `Correct PORT: ${port} ${type === 'EACCES' ? 'may not be used' : 'is in use by another process'} (${errorMessage(cause)})`
        : `Correct HOST: ${host} cannot be listened on (${errorMessage(cause)})`,
      cause,
    });
  }
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('The HTTP server has no port');
  return address;
}
