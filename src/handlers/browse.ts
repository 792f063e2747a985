// Browsing: a category, then a model.
import type { Handler } from '../bot/context.ts';
import { rejected, show } from '../ui/outcome.ts';
import { isCategory } from '../ui/registry.ts';

export const category: Handler<'category'> = async ({ catalogue }, [name]) => {
  if (!isCategory(name) || catalogue.inCategory(name).length === 0) {
    return rejected('UNKNOWN_ACTION', { detail: `category ${name}` });
  }
  return show('CATEGORY_PICK', { category: name });
};

export const model: Handler<'model'> = async ({ catalogue }, [key]) => {
  const found = catalogue.byKey(key);
  if (!found) return rejected('UNKNOWN_ACTION', { detail: `model ${key}` });
  if (!found.enabled) return rejected('MODEL_DISABLED', { detail: found.id });
  return show('MODEL_PICK', { model: key });
};
