// Every family of KIE.ai's API that the catalogue may name. One left out does not compile.
import type { ApiFamily } from '../catalogue/schema.ts';
import type { Family } from './family.ts';
import { market } from './market.ts';
import { suno } from './suno.ts';
import { veo } from './veo.ts';

export const families: Readonly<Record<ApiFamily, Family>> = { market, veo, suno };
