import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { Pcg64 } from "../src/base/pcg64.ts";
import { kMerTokenizer, nucleotideTransformerVocabulary } from "../src/dna/tokenizers/k-mer.ts";
import { caduceusTokenizer, hyenadnaTokenizer } from "../src/dna/tokenizers/one-letter.ts";
import { openTokenizer } from "../src/dna/tokenizers/open-tokenizer.ts";

/** One measured speed. */
export interface TokenizerSpeed {
  readonly tokenizer: string;
  readonly bases: "random" | "real";
  /** Sequences of 350 bases per CPU second, median of rounds. */
  readonly sequencesPerSecond: number;
  /** The same for @huggingface/tokenizers, interleaved with ours; absent if it has no such tokenizer. */
  readonly libraryPerSecond?: number;
  /** Ours divided by the library's. */
  readonly ratio?: number;
}

const BASES = 350;
const ROUNDS = 9;
/** Sequences in one round: enough for some hundredths of a second. */
const OURS = 1000;
const LIBRARYS = 100;

const data = resolveData();

/**
 * Tokenization of sequences of 350 bases. Byte-pair tokenizers come from the shared test data and are skipped
 * without it.
 */
export async function benchmark(): Promise<readonly TokenizerSpeed[]> {
  const random = randomSequences(OURS);
  const speeds: TokenizerSpeed[] = [];
  const others = [
    caduceusTokenizer(),
    hyenadnaTokenizer(),
    kMerTokenizer("nucleotide-transformer", nucleotideTransformerVocabulary(2)),
  ];
  for (const tokenizer of others) {
    const [sequencesPerSecond] = race([{ encode: tokenizer.encode, sequences: random }]);
    speeds.push({ tokenizer: tokenizer.name, bases: "random", sequencesPerSecond });
  }
  for (const model of ["dnabert2", "gena_t2t_1000h_multi_32k"]) {
    const folder = join(data, model);
    const json = join(folder, "tokenizer.json");
    if (!existsSync(json)) continue;
    const tokenizer = await openTokenizer(folder);
    const library = new LibraryTokenizer(JSON.parse(readFileSync(json, "utf8")), {});
    for (const bases of ["random", "real"] as const) {
      const sequences = bases === "random" ? random : realSequences(OURS);
      const [ours, theirs] = race([
        { encode: tokenizer.encode, sequences },
        { encode: (text) => library.encode(text), sequences: sequences.slice(0, LIBRARYS) },
      ]);
      speeds.push({
        tokenizer: model,
        bases,
        sequencesPerSecond: ours,
        libraryPerSecond: theirs,
        ratio: ours / theirs,
      });
    }
  }
  return speeds;
}

/** Sequences per second of each, interleaved so that load on the machine affects all of them; medians. */
function race(
  runners: readonly {
    readonly encode: (text: string) => unknown;
    readonly sequences: readonly string[];
  }[],
): readonly number[] {
  const rates = runners.map((): number[] => []);
  for (let round = -2; round < ROUNDS; round++) {
    for (const [i, { encode, sequences }] of runners.entries()) {
      const start = process.cpuUsage();
      for (const text of sequences) encode(text);
      const { user, system } = process.cpuUsage(start);
      const seconds = (user + system) / 1e6;
      if (round >= 0) rates[i].push(sequences.length / seconds); // the first rounds warm the compiler up
    }
  }
  return rates.map((rate) => rate.sort((a, b) => a - b)[ROUNDS >> 1]);
}

function randomSequences(count: number): readonly string[] {
  const rng = new Pcg64(350);
  return Array.from({ length: count }, () =>
    Array.from({ length: BASES }, () => "ACGT"[rng.nextUint32() & 3]).join(""),
  );
}

/** The 200 elements of the test data, each cut at five positions and rejoined in swapped order. */
function realSequences(count: number): readonly string[] {
  const file = join(data, "encodings.golden.json");
  const { sequences } = JSON.parse(readFileSync(file, "utf8")) as { readonly sequences: readonly string[] };
  return Array.from({ length: count }, (_, i) => {
    const text = sequences[i % sequences.length];
    const cut = 60 * Math.floor(i / sequences.length);
    return text.slice(cut) + text.slice(0, cut);
  });
}

function resolveData(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return join(process.env.DART_EVAL_TEST_DATA ?? join(here, "..", "..", "shared", "data"), "tokenizers");
}
