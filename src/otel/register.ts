// The preload: `node --import ./src/otel/register.ts …` starts the SDK before pg is loaded, because
// instrumentation patches modules as they load. The one module of this folder with a side effect.
import { service } from '../service.ts';
import { startSdk } from './sdk.ts';

export const sdk = startSdk({ serviceName: service.name, serviceVersion: service.version });
