import { InputError } from "../../base/errors.ts";
import { namesHint } from "../../base/message-text.ts";
import { caduceus } from "./caduceus.ts";
import type { LanguageModelCard, PublicCheckpoint } from "./card.ts";
import { dnabert2 } from "./dnabert2.ts";
import { genaLm } from "./gena-lm.ts";
import { hyenadna } from "./hyenadna.ts";
import { mistralDna } from "./mistral-dna.ts";
import { nucleotideTransformer } from "./nucleotide-transformer.ts";

/** The families of language models; nothing registers itself by being imported. */
export const LANGUAGE_MODELS: readonly LanguageModelCard[] = [
  caduceus,
  dnabert2,
  genaLm,
  hyenadna,
  mistralDna,
  nucleotideTransformer,
];

/** A model that is no language model: counted or trained on the spot, or read from a file of its own. */
export interface BaselineCard {
  readonly name: string;
  readonly title: string;
  /** DART-Eval's name of the model, where values of it were published. */
  readonly publishedAs?: string;
  readonly answers: string;
  readonly cite: string;
  /** A small trained one comes with the package, `toy:NAME`, as one of each family of language models does. */
  readonly toy?: true;
}

/** Baseline models, with kind and reference. */
export const BASELINES: readonly BaselineCard[] = [
  {
    name: "kmer-markov",
    title: "k-mer Markov model",
    answers:
      "log-likelihood of a Markov chain of order k, fitted to the training chromosomes of the genome given",
    cite: "MacKay & Peto 1995, doi:10.1017/S1351324900000218",
  },
  {
    name: "motif-counts",
    title: "Motif counts",
    answers: "a vector of the numbers of hits of each motif of a file, by FIMO's p-values",
    cite: "Grant, Bailey & Noble 2011, doi:10.1093/bioinformatics/btr064",
  },
  {
    name: "probing-head-like",
    title: "Probing-head-like network",
    publishedAs: "Probing-head-like",
    answers:
      "classes, after the setting ab-initio trained it: the probing head over a wide convolution of the letters",
    cite: "Patel et al. 2024, arXiv:2412.05430",
  },
  {
    name: "chrombpnet-like",
    title: "ChromBPNet-like network",
    publishedAs: "ChromBPNet-like",
    answers:
      "classes, after the setting ab-initio trained it: residual blocks of dilated convolutions, 275 bases at least",
    cite: "Pampari et al. 2024, doi:10.1101/2024.12.25.630221",
  },
  {
    name: "chrombpnet",
    title: "ChromBPNet",
    publishedAs: "ChromBPNet",
    answers:
      "log(1 + counts) of a window, from a file that the original or `dart-eval chrombpnet train` wrote: `chrombpnet:FILE.h5`; `chrombpnet:FOLDER/fold_*.h5` averages folds, `chrombpnet:FOLDER/{cell-line}.h5` has a network per cell line",
    cite: "Pampari et al. 2024, doi:10.1101/2024.12.25.630221",
    toy: true,
  },
];

/** Models of which a small trained one comes with the package, by name and as people call them. */
export const TOYS: readonly { readonly name: string; readonly title: string }[] = [
  ...LANGUAGE_MODELS,
  ...BASELINES.filter(({ toy }) => toy),
].map(({ name, title }) => ({ name, title }));

/** Every family that recipes and published values name. */
export const MODEL_FAMILIES: readonly string[] = [...LANGUAGE_MODELS, ...BASELINES].map(({ name }) => name);

/** @throws {InputError} when no family has this name */
export function languageModelCard(name: string): LanguageModelCard {
  const card = LANGUAGE_MODELS.find((each) => each.name === name);
  if (card !== undefined) return card;
  throw new InputError(`no family of language models is called ${JSON.stringify(name)}`, {
    hint: namesHint(
      "families",
      name,
      LANGUAGE_MODELS.map((each) => each.name),
    ),
  });
}

/** `hyenadna/large-1m` or a hub repository such as `LongSafari/hyenadna-large-1m-seqlen-hf`; undefined for anything else. */
export function publicCheckpoint(
  text: string,
): { readonly card: LanguageModelCard; readonly checkpoint: PublicCheckpoint } | undefined {
  for (const card of LANGUAGE_MODELS) {
    const checkpoint = card.checkpoints.find(
      ({ preset, repo }) => text === `${card.name}/${preset}` || text === repo,
    );
    if (checkpoint !== undefined) return { card, checkpoint };
  }
  return undefined;
}
