import type { LanguageModelCard } from "../models/language/card.ts";
import { LANGUAGE_MODELS } from "../models/language/catalogue.ts";
import type { HubCheckpoint } from "../models/language/hub-checkpoint.ts";
import { HUB_CHECKPOINTS } from "../models/language/hub-checkpoints.ts";
import { checkpointSize } from "../models/profiling/checkpoint-size.ts";
import { count, UNDEFINED } from "./numbers.ts";
import type { Table } from "./table.ts";

/** A public checkpoint that a family computes, with its size. */
export interface ModelSize {
  /** Name for `--model`. */
  readonly model: string;
  readonly family: string;
  readonly kind: "causal" | "masked";
  readonly licence: string;
  readonly trainedOn: string;
  /** Context that the authors state, in tokens. */
  readonly context: number | null;
  /** Special tokens included; a mean for byte pairs. */
  readonly tokensOf350: number;
  readonly parameters: number;
  /** 10⁹ floating-point operations of a forward pass over 350 bases. */
  readonly gigaflop: number;
}

/** Sizes of published checkpoints of every family, and of others whose configuration is known. */
export function modelSizes(): readonly ModelSize[] {
  return LANGUAGE_MODELS.flatMap((card) => [
    ...card.checkpoints.flatMap((checkpoint) =>
      card.facts === undefined
        ? []
        : sizeOf(card, {
            model: `${card.name}/${checkpoint.preset}`,
            config: checkpoint.config,
            tokensOf350: card.facts.tokensOf350,
            context: card.facts.context(checkpoint),
            trainedOn: card.facts.trainedOn(checkpoint),
            licence: card.licence,
          }),
    ),
    ...HUB_CHECKPOINTS.flatMap(
      ({ repo, service, config, tokensOf350, context = null, trainedOn, licence }) =>
        service.by !== "family" || service.family !== card.name || !config || !tokensOf350
          ? []
          : sizeOf(card, {
              model: `hf:${repo}`,
              config,
              tokensOf350,
              context,
              trainedOn,
              licence: licence ?? card.licence,
            }),
    ),
  ]);
}

type Known = Pick<ModelSize, "model" | "context" | "tokensOf350" | "trainedOn" | "licence"> & {
  readonly config: Readonly<Record<string, unknown>>;
};

function sizeOf(card: LanguageModelCard, { config, ...known }: Known): ModelSize {
  const { name: family, kind } = card;
  return { ...known, family, kind, ...checkpointSize(card, config, known.tokensOf350) };
}

const left = (...headings: string[]) => headings.map((heading) => ({ heading, align: "left" }) as const);
const right = (...headings: string[]) => headings.map((heading) => ({ heading, align: "right" }) as const);
const countOr = (value: number | null | undefined) => (value == null ? UNDEFINED : count(value));

/** Table of `modelSizes`. */
export function modelSizeTable(): Table {
  return {
    caption: "Sizes of published checkpoints",
    columns: [
      ...left("model", "kind"),
      ...right("tokens of 350 bp", "context", "parameters", "GFLOP"),
      ...left("trained on", "licence"),
    ],
    rows: modelSizes().map((each) => [
      each.model,
      each.kind,
      count(each.tokensOf350),
      countOr(each.context),
      count(each.parameters),
      threeDigits(each.gigaflop),
      each.trainedOn,
      each.licence,
    ]),
    notes: [
      "tokens: special tokens included; for byte pairs the mean of 2,000 windows of human chromosome 20",
      "context: stated by the authors, tokens",
      "parameters: values of the weights that are used, each once, without the classifier",
      "GFLOP: 10⁹ floating-point operations of one forward pass over 350 bp, counted in the graph that is run. The likelihood of a causal model takes one pass, that of a masked model one per token",
    ],
  };
}

/** Table of `HUB_CHECKPOINTS`. */
export function hubCheckpointTable(): Table {
  return {
    caption: "Other public checkpoints",
    columns: [
      ...left("repository", "architecture", "tokens"),
      ...right("parameters", "context"),
      ...left("trained on", "licence", "served by"),
    ],
    rows: HUB_CHECKPOINTS.map((each) => [
      each.repo,
      each.architecture,
      each.tokens ?? UNDEFINED,
      each.parameters === undefined ? UNDEFINED : rounded(each.parameters),
      countOr(each.context),
      each.trainedOn,
      each.licence ?? UNDEFINED,
      serviceText(each),
    ]),
    notes: [
      "served by a family: --model hf:ORG/NAME. The architecture is tested against its reference code with small random weights; these checkpoints' own weights were not tried",
      'served by Python: --model "stdio:python3 -m dart_eval_adapter ORG/NAME", with transformers installed',
      "served by a script: your own adapter, which runs the code that is named; see docs/adapters.md",
      "parameters: as stored or as the authors state them; context: as the authors state it, tokens",
      "licence: that of the weights, as the repository states it; –: none known",
    ],
  };
}

/** `0.319`, `64.5`, `4,550` */
const threeDigits = (value: number): string =>
  value < 1000 ? value.toPrecision(3) : count(Number(value.toPrecision(3)));

/** `135851522` → `136 M`, `7e9` → `7 B`. */
function rounded(parameters: number): string {
  const [unit, letter] = parameters < 1e9 ? [1e6, "M"] : [1e9, "B"];
  return `${Number((parameters / unit).toPrecision(3))} ${letter}`;
}

function serviceText({ service }: HubCheckpoint): string {
  if (service.by === "family") return service.family;
  return service.by === "bridge" ? "Python" : `script: ${service.needs}`;
}
