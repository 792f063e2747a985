// What the steps of the smoke test may touch beside the chat: the stand-ins, the rows of the database, and whether the
// bot is at work. Its prices are its own, so that each case has a model: one is free, one is dear, one is switched off.
import pg from 'pg';
import type { InstanceState } from '../../src/lock/instance-state.ts';
import { Secret } from '../../src/secret.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { createModelSettings } from '../../src/storage/model-settings.ts';
import type { Stage } from '../stage/stage.ts';

export interface World extends Pick<Stage, 'telegram' | 'kie'> {
  readonly instance: SwitchableState;
  query<Row extends pg.QueryResultRow>(statement: string, values: readonly unknown[]): Promise<Row[]>;
}

export interface SwitchableState extends InstanceState {
  /** Whether this instance works; while it does not, no other does. */
  switchTo(isActive: boolean): void;
}

export const adminId = 6_000_000_001;
/** Asks for a text and one choice. */
export const pictureModel = { id: 'z-image', key: 'zimage', title: 'Z-Image' } as const;
/** Asks for a text, and has settings that may be left as they are. */
export const settingsModel = { id: 'bytedance/seedream', key: 'm1', title: 'Seedream 3.0' } as const;
/** Asks for a picture, and costs nothing here. */
export const fileModel = {
  id: 'recraft/crisp-upscale',
  key: 'm116',
  title: 'Recraft Crisp Upscale',
} as const;
/** Asks for a text, and costs more than anybody has. */
export const dearModel = {
  id: 'elevenlabs/text-to-speech-turbo-2-5',
  key: 'm108',
  title: 'ElevenLabs Speech Turbo 2.5',
} as const;
export const disabledModel = { id: 'bytedance/seedream-v4-text-to-image', key: 'm3' } as const;

export function createSwitchableState(): SwitchableState {
  let active = true;
  return {
    isActive: () => active,
    isAbandoned: () => !active,
    isHolderLate: () => false,
    switchTo(isActive) {
      active = isActive;
    },
  };
}

/** What administrators have set before the bot starts. */
export async function setPrices(databaseUrl: string): Promise<void> {
  await migrate(new Secret(databaseUrl));
  const client = await connect(databaseUrl);
  try {
    const settings = createModelSettings({
      query: (statement, values = []) => client.query(statement, [...values]),
    });
    await settings.setPrice(fileModel.id, 0, 'smoke');
    await settings.setPrice(dearModel.id, 1_000_000, 'smoke');
    await settings.disable(disabledModel.id, 'the smoke test asks for it', 'smoke');
  } finally {
    await client.end();
  }
}

/** `stop` ends its connection to the database. */
export async function openWorld(
  { telegram, kie, databaseUrl }: Stage,
  instance: SwitchableState,
): Promise<World & { stop(): Promise<void> }> {
  const client = await connect(databaseUrl);
  return {
    telegram,
    kie,
    instance,
    query: async (statement, values) => (await client.query(statement, [...values])).rows,
    stop: () => client.end(),
  };
}

async function connect(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  return client;
}
