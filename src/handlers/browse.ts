// Browsing: the categories and lists that lead to a model, and the search among all of them.
import type { Handler, HandlerContext } from '../bot/context.ts';
import { type Outcome, rejected, show } from '../ui/outcome.ts';
import { isCategory } from '../ui/registry.ts';
import { whyUnavailable } from './availability.ts';

const shortestQuery = 2;
const hits = 10;

export const category: Handler<'category'> = async (context, [name]) => openCategory(context, name, 0);

export const page: Handler<'page'> = async (context, [name, number]) => openCategory(context, name, number);

export const best: Handler<'best'> = async () => show('BEST', {});

export const free: Handler<'free'> = async () => show('FREE', {});

export const search: Handler<'search'> = async () => show('SEARCH', {});

export const model: Handler<'model'> = async ({ catalogue }, [key]) => {
  const found = catalogue.byKey(key);
  if (!found) return rejected('UNKNOWN_ACTION', { detail: `model ${key}` });
  return whyUnavailable(catalogue, found) ?? show('MODEL_PICK', { model: key });
};

/** What is typed while no form is open. */
export function searchFor({ catalogue }: HandlerContext, query: string): Outcome<'SEARCH'> {
  const words = query.trim();
  if ([...words].length < shortestQuery) {
    return rejected('VALIDATION_FAILED', {
      detail: 'too_short',
      because: { detail_code: 'too_short' },
      hint: { key: 'hint-search-short' },
    });
  }
  return show('SEARCH', { found: catalogue.search(words, hits).map(({ key }) => key) });
}

function openCategory({ catalogue }: HandlerContext, name: string, page: number): Outcome<'CATEGORY_PICK'> {
  if (!isCategory(name) || catalogue.inCategory(name).length === 0) {
    return rejected('UNKNOWN_ACTION', { detail: `category ${name}` });
  }
  return show('CATEGORY_PICK', { category: name, page });
}
