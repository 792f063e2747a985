// Rows for a terminal: the named columns, each as wide as its widest value.

/** What is null leaves its cell empty. */
export type Row = Readonly<Record<string, string | number | null>>;

/** `names` are the heads and the keys of the rows. */
export function formatTable(names: readonly string[], rows: readonly Row[]): string {
  const lines = [names, ...rows.map(row => names.map(name => String(row[name] ?? '')))];
  const widths = names.map((_, column) =>
    lines.reduce((widest, line) => Math.max(widest, line[column]?.length ?? 0), 0),
  );
  return lines
    .map(line => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)))
    .map(cells => cells.join('  ').trimEnd())
    .join('\n');
}
