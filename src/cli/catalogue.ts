// `trt catalogue`: which models are offered and for how much, prices and switches of an operator, and whether the
// supplier's published pages still say what the catalogue says (docs/catalogue.md).
import { parseArgs } from 'node:util';
import { type Catalogue, createCatalogue } from '../catalogue/catalogue.ts';
import { readLeftOut } from '../catalogue/left-out.ts';
import type { Model } from '../catalogue/schema.ts';
import { createModelSettings, type ModelSettings } from '../storage/model-settings.ts';
import { readContract } from './catalogue-contract.ts';
import { driftsOf } from './catalogue-drift.ts';
import { readPages } from './catalogue-pages.ts';
import { type Command, type Terminal, UsageError } from './command.ts';
import { withDatabase } from './database.ts';
import { formatTable, type Row } from './table.ts';

export const catalogue: Command = {
  usage: [
    'trt catalogue list [--json]                  all models, with the least they cost in credits',
    'trt catalogue price <id> <credits|none>      set a flat price, or go back to the price rule',
    'trt catalogue disable <id> [reason]          take a model off the menus',
    'trt catalogue enable <id>                    put it back',
    'trt catalogue diff <folder|url> [--json]     what the published pages of KIE.ai say differently',
  ],
  async run(words, terminal) {
    const [action, ...rest] = words;
    switch (action) {
      case 'list':
        return list(rest, terminal);
      case 'price':
        return setPrice(rest, terminal);
      case 'disable':
        return disable(rest, terminal);
      case 'enable':
        return enable(rest, terminal);
      case 'diff':
        return diff(rest, terminal);
      default:
        throw new UsageError(
          action === undefined ? 'catalogue needs an action' : `catalogue has no ${action}`,
        );
    }
  },
};

function withSettings<T>(terminal: Terminal, work: (settings: ModelSettings) => Promise<T>): Promise<T> {
  return withDatabase(terminal, database => work(createModelSettings(database)));
}

function list(words: readonly string[], terminal: Terminal): Promise<boolean> {
  const { values } = parseArgs({ args: [...words], options: { json: { type: 'boolean', default: false } } });
  const { WEBHOOK_BASE_URL, RENDER_EXTERNAL_URL } = terminal.environment;
  const hasPublicAddress = Boolean(WEBHOOK_BASE_URL || RENDER_EXTERNAL_URL);
  return withSettings(terminal, async settings => {
    const shop = createCatalogue({ hasPublicAddress: () => hasPublicAddress });
    shop.applySettings(await settings.all());
    const rows = shop.models.map(model => toRow(shop, model));
    if (values.json) for (const row of rows) terminal.print(JSON.stringify(row));
    else terminal.print(formatTable(['id', 'key', 'category', 'credits', 'availability'], rows));
    return true;
  });
}

/** `credits` is the least an order can cost, with = when an operator has set it. */
function toRow(shop: Catalogue, model: Model): Row {
  const availability = shop.availability(model);
  const set = shop.creditsSet(model);
  return {
    id: model.id,
    key: model.key,
    category: model.category,
    credits: set === undefined ? (shop.startingCredits(model) ?? '') : `=${set}`,
    availability: availability.ok ? 'offered' : availability.why,
  };
}

async function setPrice(words: readonly string[], terminal: Terminal): Promise<boolean> {
  const [name, text, ...more] = readWords(words);
  if (name === undefined || text === undefined || more.length > 0)
    throw new UsageError('price needs a model and credits, or none');
  const credits = readCredits(text);
  const model = readModel(name);
  await withSettings(terminal, settings => settings.setPrice(model.id, credits, operator(terminal)));
  terminal.print(
    credits === null ? `${model.id}: by its price rule` : `${model.id}: ${credits} credits an order`,
  );
  return true;
}

async function disable(words: readonly string[], terminal: Terminal): Promise<boolean> {
  const [name, ...reason] = readWords(words);
  if (name === undefined) throw new UsageError('disable needs a model');
  const model = readModel(name);
  const said = reason.join(' ').trim() || 'switched off from the command line';
  await withSettings(terminal, settings => settings.disable(model.id, said, operator(terminal)));
  terminal.print(`${model.id}: disabled (${said})`);
  return true;
}

async function enable(words: readonly string[], terminal: Terminal): Promise<boolean> {
  const [name, ...more] = readWords(words);
  if (name === undefined || more.length > 0) throw new UsageError('enable needs one model');
  const model = readModel(name);
  if (!model.enabled) {
    terminal.complain(`${model.id} is switched off in the catalogue itself: change its entry.`);
    return false;
  }
  const availability = await withSettings(terminal, async settings => {
    await settings.enable(model.id, operator(terminal));
    const shop = createCatalogue();
    shop.applySettings(await settings.all());
    return shop.availability(model);
  });
  terminal.print(`${model.id}: enabled${availability.ok ? '' : `, but not offered: ${availability.why}`}`);
  return true;
}

async function diff(words: readonly string[], terminal: Terminal): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [from, another] = positionals;
  if (from === undefined || another !== undefined) throw new UsageError('diff needs one folder or URL');
  const { pages, complete } = await readPages(from);
  const { models: published, unreadable } = readContract(pages);
  if (published.length === 0) {
    terminal.complain(`No page of ${from} describes a model.`);
    return false;
  }
  const { models } = createCatalogue();
  const drifts = driftsOf({
    models,
    leftOut: readLeftOut(),
    published,
    complete: complete && unreadable.length === 0,
  });
  for (const { source, why } of unreadable) terminal.complain(`${source} could not be read: ${why}`);
  if (values.json) for (const drift of drifts) terminal.print(JSON.stringify(drift));
  else if (drifts.length > 0)
    terminal.print(formatTable(['model', 'parameter', 'drift', 'detail'], drifts.map(toDriftRow)));
  else terminal.print(`No drift: the catalogue says what ${published.length} published models say.`);
  return drifts.length === 0 && unreadable.length === 0;
}

const toDriftRow = ({ model, parameter = '', drift, detail }: ReturnType<typeof driftsOf>[number]): Row => ({
  model,
  parameter,
  drift,
  detail,
});

function readWords(words: readonly string[]): string[] {
  return parseArgs({ args: [...words], options: {}, allowPositionals: true }).positionals;
}

function readModel(name: string): Model {
  const { byId, byKey } = createCatalogue();
  const model = byId(name) ?? byKey(name);
  if (!model) throw new UsageError(`the catalogue has no model ${name}`);
  return model;
}

/** As the column holds it: up to seven digits and three decimals. */
function readCredits(text: string): number | null {
  if (text === 'none') return null;
  if (!/^\d{1,7}(\.\d{1,3})?$/.test(text))
    throw new UsageError(`${text} is no number of credits, such as 12 or 3.5, and not none`);
  return Number(text);
}

/** Who is kept as the one who changed it. */
function operator({ environment }: Terminal): string {
  return environment.USER ? `trt ${environment.USER}` : 'trt';
}
