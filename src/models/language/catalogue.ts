import { InputError } from "../../base/errors.ts";
import { namesHint } from "../../base/message-text.ts";
import { bert } from "./bert.ts";
import { caduceus } from "./caduceus.ts";
import type { LanguageModelCard, PublicCheckpoint } from "./card.ts";
import { dnabert2 } from "./dnabert2.ts";
import { esm } from "./esm.ts";
import { genaLm } from "./gena-lm.ts";
import { gpn } from "./gpn.ts";
import { gptNeox } from "./gpt-neox.ts";
import { gpt2 } from "./gpt2.ts";
import { hyenadna } from "./hyenadna.ts";
import { llama } from "./llama.ts";
import { mamba } from "./mamba.ts";
import { mamba2 } from "./mamba2.ts";
import { mistralDna } from "./mistral-dna.ts";
import { modernbert } from "./modernbert.ts";
import { nucleotideTransformer } from "./nucleotide-transformer.ts";
import { stripedhyena } from "./stripedhyena.ts";
import { stripedhyena2 } from "./stripedhyena2.ts";

/**
 * All families of language models. A checkpoint belongs to the first that recognises it: the families of
 * DART-Eval come before the architectures.
 */
export const LANGUAGE_MODELS: readonly LanguageModelCard[] = [
  caduceus,
  dnabert2,
  genaLm,
  hyenadna,
  mistralDna,
  nucleotideTransformer,
  bert,
  esm,
  gpn,
  gpt2,
  gptNeox,
  llama,
  mamba,
  mamba2,
  modernbert,
  stripedhyena,
  stripedhyena2,
];

/** A model that is not a language model: fitted when opened, trained in a setting, or read from a file. */
export interface BaselineCard {
  readonly name: string;
  readonly title: string;
  /** DART-Eval's name of the model, where values of it were published. */
  readonly publishedAs?: string;
  readonly answers: string;
  readonly cite: string;
  /** A small trained model comes with the package, as `toy:NAME`. */
  readonly toy?: true;
  /** Shells complete the name, and messages suggest it. */
  readonly suggested?: true;
}

/** Baseline models, with kind and reference. */
export const BASELINES: readonly BaselineCard[] = [
  {
    name: "kmer-markov",
    title: "k-mer Markov model",
    answers:
      "log-likelihood under a Markov chain of order k, fitted to the training chromosomes of the genome",
    cite: "MacKay & Peto 1995, doi:10.1017/S1351324900000218",
    suggested: true,
  },
  {
    name: "motif-counts",
    title: "Motif counts",
    answers: "numbers of hits of each motif of a file, by FIMO's p-values",
    cite: "Grant, Bailey & Noble 2011, doi:10.1093/bioinformatics/btr064",
    suggested: true,
  },
  {
    name: "probing-head-like",
    title: "Probing-head-like network",
    publishedAs: "Probing-head-like",
    answers:
      "classes, once trained by the setting ab-initio: the probing head on a wide convolution of the sequence",
    cite: "Patel et al. 2024, arXiv:2412.05430",
    suggested: true,
  },
  {
    name: "chrombpnet-like",
    title: "ChromBPNet-like network",
    publishedAs: "ChromBPNet-like",
    answers:
      "classes, once trained by the setting ab-initio: residual blocks of dilated convolutions, at least 275 bases",
    cite: "Pampari et al. 2024, doi:10.1101/2024.12.25.630221",
    suggested: true,
  },
  {
    name: "chrombpnet",
    title: "ChromBPNet",
    publishedAs: "ChromBPNet",
    answers:
      "log(1 + counts) of a window, from a Keras file of the original or of `dart-eval chrombpnet train`: `chrombpnet:FILE.h5`; `chrombpnet:FOLDER/fold_*.h5` averages folds, `chrombpnet:FOLDER/{cell-line}.h5` selects a network per cell line; `chrombpnet:FILE.pt` is a state dict of bpnet-lite",
    cite: "Pampari et al. 2024, doi:10.1101/2024.12.25.630221",
    toy: true,
  },
  {
    name: "borzoi",
    title: "Borzoi",
    answers:
      "log(1 + coverage) of a DNase-seq or ATAC-seq track over the central 1,024 of 524,288 bases, with `--context 524288`: `borzoi:FOLDER` of the package borzoi-pytorch, Flashzoi included, has a track per cell line of the benchmark, `borzoi:track=1345,FOLDER` any track of the human head; other tracks are read as predicted",
    cite: "Linder et al. 2025, doi:10.1038/s41588-024-02053-6",
  },
  {
    name: "enformer",
    title: "Enformer",
    answers:
      "log(1 + signal) of a DNase-seq track over the central 1,024 of 196,608 bases, with `--context 196608`: `enformer:FOLDER` of the package enformer-pytorch has a track per cell line of the benchmark, `enformer:track=121,FOLDER` any track of the human head",
    cite: "Avsec et al. 2021, doi:10.1038/s41592-021-01252-x",
  },
];

/** Models with a toy, by name and title. */
export const TOYS: readonly { readonly name: string; readonly title: string }[] = [
  ...LANGUAGE_MODELS,
  ...BASELINES,
]
  .filter(({ toy }) => toy)
  .map(({ name, title }) => ({ name, title }));

/** Names of all families, for recipes and published values. */
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

/**
 * Finds a published checkpoint by name, such as `hyenadna/large-1m`, or by hub repository, such as
 * `LongSafari/hyenadna-large-1m-seqlen-hf`; undefined for other texts.
 */
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
