// The house: which part may import which. `npm run check:imports` holds it, docs/architecture.md says what each part is
// for, and test/architecture.test.ts holds the two together.
import type { IConfiguration } from 'dependency-cruiser';

/** From the ground to the roof. A part imports only from storeys below its own, never from its neighbours. */
export const storeys: readonly (readonly string[])[] = [
  ['errors', 'secret', 'decimal', 'json', 'locales', 'service'],
  ['otel', 'lifecycle'],
  ['postgres', 'config', 'catalogue'],
  ['lock', 'kie'],
  ['storage'],
  ['inbox', 'billing'],
  ['pipeline', 'health'],
  ['diagnosis'],
  ['ui'],
  ['telegram'],
  ['reception', 'delivery'],
  ['bot', 'http'],
  ['handlers'],
  ['app'],
  ['main', 'cli'],
];

/** A folder or a file at the top of src. */
const pathOf = (parts: readonly string[]): string => `^src/(${parts.join('|')})(/|\\.ts$)`;

const upwards = storeys.flatMap((storey, at) =>
  storey.map(part => ({
    name: `${part}-imports-from-below`,
    severity: 'error' as const,
    from: { path: pathOf([part]) },
    to: {
      path: pathOf(
        storeys
          .slice(at)
          .flat()
          .filter(other => other !== part),
      ),
    },
  })),
);

const configuration: IConfiguration = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    ...upwards,
    {
      name: 'every-part-has-a-storey',
      severity: 'error',
      from: { path: '^src/', pathNot: pathOf(storeys.flat()) },
      to: {},
    },
    {
      name: 'generations-and-money-know-no-telegram-and-no-http',
      severity: 'error',
      from: { path: pathOf(['pipeline', 'billing']) },
      to: { path: 'node_modules/(grammy|@grammyjs|fastify|undici)/' },
    },
    {
      name: 'screens-know-no-bot-api',
      severity: 'error',
      from: { path: pathOf(['ui']) },
      to: { path: 'node_modules/grammy/' },
    },
    {
      name: 'handlers-know-no-telemetry-no-storage-and-no-telegram',
      severity: 'error',
      from: { path: pathOf(['handlers']) },
      to: {
        path: '^src/(otel/(telemetry|logger|events|sdk|register)|storage|inbox|telegram|reception|delivery|bot/(?!context))|node_modules/',
      },
    },
    {
      name: 'only-replay-needs-the-sandbox',
      comment: 'The production image does not hold it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/replay' },
      to: { path: '^sandbox/' },
    },
    {
      name: 'stand-ins-share-no-code-with-what-they-test',
      severity: 'error',
      from: { path: '^sandbox/(telegram|kie)/' },
      to: { path: '^src/(?!errors|secret)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};

export default configuration;
