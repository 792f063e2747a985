// The list of all faults, by name.
import { crowdFaults } from './crowd-faults.ts';
import { databaseFaults } from './database-faults.ts';
import type { FaultKind } from './fault.ts';
import { processFaults } from './process-faults.ts';
import { supplierFaults } from './supplier-faults.ts';

const all = { ...processFaults, ...databaseFaults, ...supplierFaults, ...crowdFaults };

export type FaultName = keyof typeof all;

export const faults: Readonly<Record<FaultName, FaultKind>> = all;
// SAFETY: the object has its own keys.
export const faultNames = Object.keys(all) as FaultName[];

export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(all, name);
}
