// Entries for tests of the catalogue: small ones that are sound, to be changed into what a test is about.
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import type { Model, ParameterOf } from '../../src/catalogue/schema.ts';
import { AppError } from '../../src/errors.ts';

export const prompt: ParameterOf<'text'> = {
  name: 'prompt',
  type: 'text',
  required: true,
  minLength: 1,
  maxLength: 100,
};

export const resolution: ParameterOf<'choice'> = {
  name: 'resolution',
  type: 'choice',
  required: false,
  values: ['720p', '1080p'],
  default: '720p',
};

export const duration: ParameterOf<'choice'> = {
  name: 'duration',
  type: 'choice',
  required: true,
  values: ['5', '10'],
  default: '5',
  unit: 's',
};

export const picture: ParameterOf<'files'> = {
  name: 'image_url',
  type: 'files',
  required: true,
  media: 'image',
  list: false,
  maxItems: 1,
};

/** A model that is offered for 10 credits; its id follows the key. */
export function entry(key: string, change: Partial<Model> = {}): Model {
  return {
    id: `maker/${key}`,
    key,
    title: `Painter ${key}`,
    category: 'image',
    api: 'market',
    vendorModel: `maker/${key}`,
    output: 'image',
    version: '2026-01-01',
    enabled: true,
    parameters: [prompt],
    price: { rule: { kind: 'flat', credits: 10 }, confidence: 'high', source: 'test' },
    source: 'https://docs.example/painter.md',
    ...change,
  };
}

/** A price of high confidence. */
export function priced(rule: NonNullable<Model['price']>['rule'], times?: string): Pick<Model, 'price'> {
  return { price: { rule, confidence: 'high', source: 'test', ...(times === undefined ? {} : { times }) } };
}

/** The lines of the refusal, without the heading; throws when the data is accepted. */
export function refusalOf(data: unknown, singleModel?: string): string[] {
  try {
    createCatalogue({ data, ...(singleModel === undefined ? {} : { singleModel }) });
  } catch (error) {
    if (error instanceof AppError && error.code === 'CATALOGUE_INVALID')
      return error.message
        .split('\n')
        .slice(1)
        .map(line => line.trim());
    throw error;
  }
  throw new Error('the catalogue was accepted');
}
