// What every part of a restoration works on: the state of then, the sandbox it is put into, and the notes about it.
import { Api } from 'grammy';
import { type Catalogue, createCatalogue } from '../../src/catalogue/catalogue.ts';
import type { Config } from '../../src/config/config.ts';
import type { Queryable } from '../../src/storage/database.ts';
import type { Stage } from '../stage/stage.ts';
import type { SandboxUser } from '../telegram/index.ts';
import { createNotes, type Notes } from './notes.ts';
import type { Past } from './past.ts';
import { createStandInFiles, type StandInFiles } from './stand-in-files.ts';

export interface Ground {
  readonly past: Past;
  /** Of the sandbox. */
  readonly database: Queryable;
  readonly config: Config;
  /** The bot's own way to the stand-in of Telegram, beside the running bot. */
  readonly api: Api;
  /** In the place of the one who sent the update. */
  readonly user: SandboxUser;
  readonly catalogue: Catalogue;
  readonly files: StandInFiles;
  readonly notes: Notes;
  /** A time of then, as long ago now as it was then. */
  moved(time: string): Date;
}

/** `user` must be new to the sandbox. */
export function createGround(
  past: Past,
  {
    telegram,
    kie,
    config,
    database,
  }: Pick<Stage, 'telegram' | 'kie' | 'config'> & { readonly database: Queryable },
  user: SandboxUser,
): Ground {
  const api = new Api(telegram.token, { apiRoot: telegram.apiRoot });
  const { singleModel } = config;
  const catalogue = createCatalogue(singleModel === undefined ? {} : { singleModel });
  catalogue.applySettings(past.settings);
  const laterMs = Date.now() - past.update.receivedAt.getTime();
  return {
    past,
    database,
    config,
    api,
    user,
    catalogue,
    // A chat of its own, so that the user's shows nothing that was not there.
    files: createStandInFiles(api, telegram.user({ started: true }).chatId, kie),
    notes: createNotes(),
    moved: time => new Date(Date.parse(time) + laterMs),
  };
}
