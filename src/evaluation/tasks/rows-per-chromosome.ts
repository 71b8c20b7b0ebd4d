/** Rows of a table by chromosome, in the order in which chromosomes first come. */
export function rowsPerChromosome(table: Iterable<{ readonly chrom: string }>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { chrom } of table) counts.set(chrom, (counts.get(chrom) ?? 0) + 1);
  return counts;
}
