// A warning about a database says which one it is, by host and port, and that it is the database's trouble.
import pg from 'pg';
import { AppError, errorMessage, errorType } from '../errors.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { isConnectionLost } from './connection-lost.ts';

/** `name`: what and where it is, without secrets. */
export function nameInWarnings(telemetry: Telemetry, name: () => string): Telemetry {
  return {
    ...telemetry,
    warn(operation, error, reason) {
      if (isOfDatabase(error)) telemetry.warn(operation, named(error, name()), reason ?? 'DB_ERROR');
      else telemetry.warn(operation, error, reason);
    },
  };
}

/** The same error for whoever reads lines. */
function named(error: unknown, name: string): Error {
  const shown = new Error(`${name}: ${errorMessage(error)}`, { cause: error });
  shown.name = errorType(error);
  return shown;
}

function isOfDatabase(error: unknown): boolean {
  if (error instanceof AppError && error.code === 'LEASE_LOST') return false;
  return error instanceof pg.DatabaseError || isConnectionLost(error);
}
