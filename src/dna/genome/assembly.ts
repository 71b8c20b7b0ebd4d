/** UCSC name of a human genome assembly. */
export type Assembly = (typeof ASSEMBLIES)[number];

/** Human assemblies with known chromosome lengths. */
export const ASSEMBLIES = ["hg19", "hg38"] as const;

/** Lengths in bases of chromosomes that differ between the assemblies. */
const LENGTHS: Readonly<Record<Assembly, Readonly<Record<string, number>>>> = {
  hg19: {
    "1": 249_250_621,
    "2": 243_199_373,
    "6": 171_115_067,
    "20": 63_025_520,
    "21": 48_129_895,
    "22": 51_304_566,
    X: 155_270_560,
  },
  hg38: {
    "1": 248_956_422,
    "2": 242_193_529,
    "6": 170_805_979,
    "20": 64_444_167,
    "21": 46_709_983,
    "22": 50_818_468,
    X: 156_040_895,
  },
};

/**
 * Human genome assembly with the given chromosome lengths; the `chr` prefix of names is optional.
 *
 * @returns  undefined if no chromosome matches, or two match different assemblies
 * @see UCSC Genome Browser, hg19.chrom.sizes and hg38.chrom.sizes
 */
export function assemblyOf(chromosomes: ReadonlyMap<string, number>): Assembly | undefined {
  const found = new Set<Assembly>();
  for (const [name, length] of chromosomes) {
    for (const assembly of ["hg19", "hg38"] as const) {
      if (LENGTHS[assembly][name.replace(/^chr/, "")] === length) found.add(assembly);
    }
  }
  const [only] = found;
  return found.size === 1 ? only : undefined;
}
