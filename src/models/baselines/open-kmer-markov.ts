import { InputError } from "../../base/errors.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import type { OpenModelContext } from "../open-model.ts";
import { fitKmerMarkov, type KmerMarkov } from "./kmer-markov.ts";

const DEFAULT_ORDER = 5;

/**
 * The Markov model of `kmer-markov` or `kmer-markov:order=3`, fitted to the training chromosomes of the context's genome.
 * @throws {InputError} when the text says something else, or there is no genome with one of these chromosomes
 */
export async function openKmerMarkov(
  spec: string,
  { genome, trainChromosomes, signal }: OpenModelContext,
): Promise<KmerMarkov> {
  const [, settings = `order=${DEFAULT_ORDER}`] = /^kmer-markov(?::(.*))?$/s.exec(spec) ?? [];
  const [, digits] = /^order=(\d+)$/.exec(settings) ?? [];
  if (digits === undefined) {
    throw new InputError(`kmer-markov has no setting ${JSON.stringify(settings)}`, {
      hint: "write kmer-markov:order=5; the order is from 0 to 11",
    });
  }
  if (genome === undefined) {
    throw new InputError("kmer-markov is fitted to a genome, but none is given", {
      hint: "add --genome FILE",
    });
  }
  const present = trainChromosomes.filter((chromosome) => genome.chromosomes.has(chromosome));
  if (present.length === 0) {
    throw new InputError(`${genome.path} has none of the training chromosomes`, {
      hint: `it has ${[...genome.chromosomes.keys()].slice(0, 8).join(", ")}; training uses ${trainChromosomes.join(", ")}`,
    });
  }
  return fitKmerMarkov(chromosomes(genome, present), {
    order: Number(digits),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function* chromosomes(genome: Genome, names: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const name of names) yield genome.chromosome(name);
}
