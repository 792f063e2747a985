// `npm run bench`: what an update costs. `-- --quick` for a look, `-- failover`: how long nobody is ACTIVE,
// `-- menus`: what drawing a screen costs, `-- trace`: how long the cause of a click is looked for.
import { measureFailover } from './failover.ts';
import { measureMenus } from './menus.ts';
import { measureThroughput } from './throughput.ts';
import { measureTrace } from './trace.ts';

if (process.argv.includes('failover')) await measureFailover();
else if (process.argv.includes('menus')) measureMenus();
else if (process.argv.includes('trace')) await measureTrace();
else await measureThroughput(process.argv.includes('--quick'));
