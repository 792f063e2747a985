// `npm run bench`: what an update costs. `-- --quick` for a look, `-- failover`: how long nobody is ACTIVE.
import { measureFailover } from './failover.ts';
import { measureThroughput } from './throughput.ts';

if (process.argv.includes('failover')) await measureFailover();
else await measureThroughput(process.argv.includes('--quick'));
