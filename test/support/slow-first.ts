// In which order files are begun: first those whose tests wait for processes, leases and limits for minutes, so that none
// of them is still at work when everything else has ended. Nothing else knows that in a fresh clone.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const slow = [
  '/test/faults/',
  '/test/sandbox/',
  '/test/cli/replay',
  '/test/journeys/',
  '/test/billing/',
  '/test/otel/',
];

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = slow.findIndex(part => moduleId.includes(part));
  return rank === -1 ? slow.length : rank;
}
