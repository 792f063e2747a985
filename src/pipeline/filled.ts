// What the values of a form amount to: which parameters are asked, which must be answered, what will be sent, and
// which rule between parameters is broken.
// A parameter with `requiredIf` belongs to a mode of the model (style and title to Suno's custom mode): while its
// condition holds it must be answered, otherwise it is neither asked nor sent, because the supplier wants it
// left out. What was answered stays in the form, so that switching the mode back loses nothing.
// Conditions look at parameters that stand before theirs, in the order in which they are asked.
import type { Model, Parameter, Scalar } from '../catalogue/schema.ts';
import type { FormValue, FormValues } from '../catalogue/values.ts';
import type { Problem } from './problem.ts';
import { valueProblem } from './value-check.ts';

/** A form, or whatever else holds the values of one model. */
export interface Filled {
  readonly values: FormValues;
}

/** A rule that holds for several parameters at once, broken. */
export interface Violation {
  readonly problem: Extract<Problem, 'one_of' | 'not_together'>;
  /** Names of the parameters that the rule is about; of an impossible combination, those that make it up. */
  readonly parameters: readonly string[];
}

interface Reading {
  readonly asked: readonly Parameter[];
  readonly values: FormValues;
}

/** Goes through the entry once. A value that does not fit (any longer) counts as not given. */
function read(filled: Filled, model: Model): Reading {
  const asked: Parameter[] = [];
  const values: Record<string, FormValue> = {};
  for (const parameter of model.parameters) {
    if (parameter.advanced) continue;
    if (belongsToMode(parameter) && !conditionHolds(parameter.requiredIf, { ...model.fixed, ...values }))
      continue;
    asked.push(parameter);
    const value = givenValue(filled, parameter) ?? defaultOf(parameter);
    if (value !== undefined) values[parameter.name] = value;
  }
  return { asked, values };
}

/** Every parameter that a user may set as things stand, in the order of the entry. */
export function askedParameters(filled: Filled, model: Model): readonly Parameter[] {
  return read(filled, model).asked;
}

/** Those of them that must be answered, even where there is a default to be chosen by a tap. */
export function mandatoryParameters(filled: Filled, model: Model): readonly Parameter[] {
  return read(filled, model).asked.filter(isMandatory);
}

/** Those that must be answered and are not. */
export function openParameters(filled: Filled, model: Model): readonly Parameter[] {
  return mandatoryParameters(filled, model).filter(parameter => givenValue(filled, parameter) === undefined);
}

/** Whether there is anything to decide beyond the questions: something optional, or a rule between parameters. */
export function hasOptions(filled: Filled, model: Model): boolean {
  if (model.atLeastOne || model.notTogether || model.impossible) return true;
  return read(filled, model).asked.some(parameter => !isMandatory(parameter));
}

/**
 * The values with the defaults: what will be sent and priced. Without what the form keeps but would not send, and
 * without the entry's `fixed`. Applied to its own result it changes nothing.
 */
export function effectiveValues(filled: Filled, model: Model): FormValues {
  return read(filled, model).values;
}

/** The first rule between parameters that the values break. */
export function violation(filled: Filled, model: Model): Violation | undefined {
  const values = effectiveValues(filled, model);
  const isGiven = (name: string): boolean => Object.hasOwn(values, name);
  if (model.atLeastOne && !model.atLeastOne.some(isGiven)) {
    return { problem: 'one_of', parameters: model.atLeastOne };
  }
  const pair = model.notTogether?.find(names => names.every(isGiven));
  if (pair) return { problem: 'not_together', parameters: pair };
  const combination = model.impossible?.find(wanted => conditionHolds(wanted, values));
  return combination && { problem: 'not_together', parameters: Object.keys(combination) };
}

/** What the user gave for the parameter, if it fits. */
export function givenValue({ values }: Filled, parameter: Parameter): FormValue | undefined {
  const value = Object.hasOwn(values, parameter.name) ? values[parameter.name] : undefined;
  return value === undefined || valueProblem(parameter, value) ? undefined : value;
}

export function defaultOf(parameter: Parameter): Scalar | undefined {
  return parameter.type === 'files' ? undefined : parameter.default;
}

/** For a parameter that is asked: its condition, if it has one, holds. */
export function isMandatory(parameter: Parameter): boolean {
  return parameter.required || belongsToMode(parameter);
}

function belongsToMode(parameter: Parameter): boolean {
  return !parameter.required && parameter.requiredIf !== undefined;
}

function conditionHolds(condition: Readonly<Record<string, Scalar>> = {}, values: FormValues): boolean {
  return Object.entries(condition).every(([name, wanted]) => values[name] === wanted);
}
