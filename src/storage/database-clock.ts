// Ages by the database's clock, because the clocks of processes differ.

/** SQL: milliseconds since the time in this column, as a float8. */
export const millisecondsSince = (column: string): string =>
  `(1000 * extract(epoch from clock_timestamp() - ${column}))::float8`;
