// How the lines of a span are kept in the journal: what all of them have in common stands in the first alone, and what
// is added to it on the way in the first that has it. That is more than half of their length, and most of what writing
// them costs. Expanded they are what was on stdout, to the character.
// A line is `{"level":…,"ts":…`, then what is in common, which begins with the cid, then `,"name":…` and its own fields.

const parts = /^(\{"level":"[A-Z]+","ts":"[^"]+")(.*?)(,"name":".*)$/;

/** What has to stand in a line of this head after one of that head. */
export function shortHead(head: string, headBefore: string): string {
  if (head === headBefore) return '';
  return headBefore !== '' && head.startsWith(headBefore) ? head.slice(headBefore.length) : head;
}

/** Lines that are whole stay as they are. */
export function expandLines(lines: string): string {
  let head = '';
  return lines
    .split('\n')
    .map(line => {
      const [, start, common = '', own] = parts.exec(line) ?? [];
      if (own === undefined) return line;
      head = common.startsWith(',"cid":') ? common : head + common;
      return `${start}${head}${own}`;
    })
    .join('\n');
}
