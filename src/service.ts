// What this program is called and which version of it runs, for telemetry and GET /version.
import packageJson from '../package.json' with { type: 'json' };

export const service = {
  name: 'trt-bot',
  version: packageJson.version,
} as const;
