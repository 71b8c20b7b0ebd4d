import { agroNt, bertBase, evo1, generatorSizes, plantCaduceusSizes } from "./hub-configurations.ts";

/** Way to evaluate a checkpoint of the hub. */
export type Service =
  /** Its architecture is computed by a family of this package: `--model hf:ORG/NAME`. */
  | { readonly by: "family"; readonly family: string }
  /** Its architecture is a class of Transformers: `python3 -m dart_eval_adapter ORG/NAME`. */
  | { readonly by: "bridge" }
  /** Its architecture is code of its repository or of another package, which a script of the user runs. */
  | { readonly by: "script"; readonly needs: string };

/** A public checkpoint that is not one of a family's published checkpoints. */
export interface HubCheckpoint {
  readonly repo: string;
  /** Class in config.json or, without one, the name of the architecture. */
  readonly architecture: string;
  readonly tokens?: string;
  /** Values of all weights, as stored. */
  readonly parameters?: number;
  /** Context that the authors state, in tokens. */
  readonly context?: number;
  readonly trainedOn: string;
  readonly service: Service;
  /** Values of config.json that determine the sizes, for some checkpoints of the families. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Tokens of 350 bases, special tokens included, next to `config`. */
  readonly tokensOf350?: number;
}

type Facts = Omit<HubCheckpoint, "repo" | "service">;
type Row = readonly [repo: string, facts: Partial<Facts>];

/** Checkpoints that share some facts; `{}` in a name stands for the rest of the repository's name. */
function group(name: string, service: Service, shared: Partial<Facts>, rows: readonly Row[]) {
  return rows.map(([rest, own]): HubCheckpoint => {
    const facts = { architecture: "", trainedOn: "", ...shared, ...own };
    return { repo: name.replace("{}", rest), service, ...facts };
  });
}

const family = (name: string): Service => ({ by: "family", family: name });
const bridge: Service = { by: "bridge" };
const REPOSITORY_CODE = "the repository's own code";
const script = (needs: string): Service => ({ by: "script", needs });

const human = { trainedOn: "human genome" };
const arabidopsis = { trainedOn: "Arabidopsis thaliana" };
const plants = { trainedOn: "plant genomes" };
const bert = { architecture: "BertForMaskedLM" };
const mixtral = { architecture: "MixtralForCausalLM", tokens: "byte pairs", context: 512 };
const llama = { architecture: "LlamaForCausalLM" };
const generator = { ...llama, tokens: "6-mers", context: 16_384 };
const genomeOcean = {
  architecture: "MistralForCausalLM",
  tokens: "byte pairs",
  trainedOn: "metagenome assemblies",
};
const caduceus = { architecture: "CaduceusForMaskedLM", tokens: "bases" };
const plantCaduceus = { ...caduceus, context: 512, trainedOn: "genomes of 16 angiosperms" };
const plantCad2 = { ...caduceus, context: 8192, trainedOn: "genomes of 65 angiosperms" };
const modernBert = { architecture: "ModernBertForMaskedLM", tokens: "byte pairs" };
const unet = { architecture: "U-Net with attention", tokens: "bases" };
const evo = { tokens: "bytes" };
const evo2 = { ...evo, architecture: "StripedHyena 2", trainedOn: "genomes of all domains of life" };
const prokaryotes = { trainedOn: "prokaryotic and phage genomes" };
const megatron = { architecture: "MegatronBertForMaskedLM", trainedOn: "bacterial and viral genomes" };

/**
 * Public DNA checkpoints on the Hugging Face hub. Names, classes and sizes are those that users of the
 * checkpoints publish (the model zoo of DNALLM, the catalogue of GLMap) and that the authors' papers state.
 */
export const HUB_CHECKPOINTS: readonly HubCheckpoint[] = [
  ...group("zhihan1996/DNA_bert_{}", family("bert"), { ...bert, ...human, context: 512 }, [
    ["3", { tokens: "overlapping 3-mers", ...bertBase(69, 350) }],
    ["4", { tokens: "overlapping 4-mers", ...bertBase(261, 349) }],
    ["5", { tokens: "overlapping 5-mers", ...bertBase(1029, 348) }],
    ["6", { tokens: "overlapping 6-mers", ...bertBase(4101, 347) }],
  ]),
  ...group("{}", family("bert"), { ...bert, tokens: "byte pairs", context: 512 }, [
    ["PoetschLab/GROVER", { ...human, parameters: 87_570_114 }],
    ["zhangtaolab/plant-dnabert-BPE", plants],
  ]),
  ...group(
    "AIRI-Institute/gena-lm-bert-base{}",
    family("gena-lm"),
    { ...bert, tokens: "byte pairs", context: 512 },
    [
      ["", { trainedOn: "human T2T genome", parameters: 135_851_522 }],
      ["-athaliana", { ...arabidopsis, parameters: 135_260_928 }],
      ["-fly", { trainedOn: "Drosophila", parameters: 135_260_928 }],
      ["-yeast", { trainedOn: "yeast", parameters: 135_260_928 }],
    ],
  ),
  ...group("InstaDeepAI/{}", family("esm"), { architecture: "EsmForMaskedLM" }, [
    [
      "agro-nucleotide-transformer-1b",
      {
        tokens: "6-mers",
        parameters: 991_261_206,
        context: 1024,
        trainedOn: "genomes of 48 plants",
        ...agroNt,
      },
    ],
  ]),
  ...group("InstaDeepAI/{}", family("nucleotide-transformer"), { architecture: "EsmForMaskedLM" }, [
    [
      "nucleotide-transformer-v2-50m-3mer-multi-species",
      { tokens: "3-mers", parameters: 51_772_364, context: 2048, trainedOn: "genomes of 850 species" },
    ],
  ]),
  ...group("kuleshov-group/PlantCaduceus_{}", family("caduceus"), plantCaduceus, [
    ["l20", { parameters: 20e6, ...plantCaduceusSizes(384, 20) }],
    ["l24", { parameters: 40e6, ...plantCaduceusSizes(512, 24) }],
    ["l28", { parameters: 112e6, ...plantCaduceusSizes(768, 28) }],
    ["l32", { parameters: 225e6, ...plantCaduceusSizes(1024, 32) }],
  ]),
  ...group("RaphaelMourad/Mistral-DNA-v1-{}", family("mistral-dna"), mixtral, [
    ["17M-cow-5races", { trainedOn: "genomes of 5 breeds of cattle", parameters: 16_797_952 }],
    ["17M-goat-5races", { trainedOn: "genomes of 5 breeds of goat", parameters: 16_797_952 }],
    ["17M-pig-13races", { trainedOn: "genomes of 13 breeds of pig", parameters: 16_797_952 }],
    ["138M-bacteria", { trainedOn: "bacteria", parameters: 138_474_240 }],
    ["138M-bacteriophage", { trainedOn: "bacteriophages", parameters: 138_474_240 }],
    ["138M-lncRNA", { trainedOn: "long non-coding RNAs", parameters: 138_474_240 }],
    ["138M-plasmid", { trainedOn: "plasmids", parameters: 138_474_240 }],
    ["138M-virus", { trainedOn: "viruses", parameters: 138_474_240 }],
    ["138M-yeast", { trainedOn: "yeast", parameters: 138_474_240 }],
    ["417M-Athaliana", { ...arabidopsis, parameters: 421_589_760 }],
  ]),
  ...group("songlab/{}", family("gpn"), { architecture: "ConvNetForMaskedLM", tokens: "bases" }, [
    [
      "gpn-brassicales",
      { trainedOn: "genomes of Arabidopsis and other Brassicales", parameters: 65.9e6, context: 512 },
    ],
  ]),
  ...group("zhangtaolab/{}", family("gpt2"), { architecture: "GPT2LMHeadModel", tokens: "byte pairs" }, [
    ["plant-dnagpt-BPE", plants],
  ]),
  ...group(
    "GenerTeam/GENERator-eukaryote-{}",
    family("llama"),
    { ...generator, trainedOn: "eukaryotic genes" },
    [
      ["1.2b-base", { parameters: 1_162_061_824, ...generatorSizes(2048, 26, 5632) }],
      ["3b-base", { parameters: 2_998_262_784, ...generatorSizes(3072, 30, 8448) }],
    ],
  ),
  ...group("DOEJGI/GenomeOcean-{}", family("llama"), genomeOcean, [
    ["100M", { parameters: 119_556_864, context: 1024 }],
    ["500M", { parameters: 541_109_760, context: 1024 }],
    ["4B", { parameters: 4_253_174_784, context: 10_240 }],
  ]),
  ...group("metagene-ai/{}", family("llama"), { ...llama, tokens: "byte pairs" }, [
    ["METAGENE-1", { trainedOn: "wastewater metagenomes", parameters: 7e9, context: 512 }],
  ]),
  ...group("RaphaelMourad/{}", family("modernbert"), { ...modernBert, context: 8192 }, [
    ["ModernBERT-DNA-v1-37M-hg38", { ...human, parameters: 36_783_616 }],
    ["ModernBERT-DNA-v1-37M-Athaliana", { ...arabidopsis, parameters: 36_783_616 }],
    ["ModernBert-DNA-v1-37M-virus", { trainedOn: "viruses", parameters: 36_783_616 }],
    ["ModernBERT-DNA-v1-117M-hg38", { ...human, parameters: 117_005_824 }],
    ["ModernBERT-DNA-v1-117M-Athaliana", { ...arabidopsis, parameters: 117_005_824 }],
  ]),
  ...group(
    "AIRI-Institute/moderngena-{}",
    family("modernbert"),
    { ...modernBert, context: 1024, trainedOn: "genomes of 443 vertebrates" },
    [
      ["base", { parameters: 136_120_832 }],
      ["large", { parameters: 377_841_664 }],
    ],
  ),
  ...group("zhangtaolab/{}", family("mamba"), { architecture: "MambaForCausalLM", tokens: "byte pairs" }, [
    ["plant-dnamamba-BPE", plants],
  ]),
  ...group("zhangtaolab/{}", family("modernbert"), modernBert, [["plant-dnamodernbert-BPE", plants]]),

  ...group("{}", bridge, {}, [
    [
      "AIRI-Institute/gena-lm-bigbird-base-t2t",
      {
        architecture: "BigBirdForMaskedLM",
        tokens: "byte pairs",
        parameters: 138_606_080,
        context: 4096,
        trainedOn: "human T2T genome with variants of the 1000 Genomes Project",
      },
    ],
    [
      "RaphaelMourad/Jamba-DNA-v1-114M-hg38",
      { architecture: "JambaForCausalLM", parameters: 114_216_320, context: 4096, ...human },
    ],
    ["zhangtaolab/plant-dnagemma-BPE", { architecture: "GemmaForCausalLM", tokens: "byte pairs", ...plants }],
  ]),

  ...group("InstaDeepAI/NTv3_{}", script("examples/adapters/nucleotide_transformer_v3.py"), unet, [
    ["8M_pre", { parameters: 7_692_507, context: 1_048_576, trainedOn: "genomes of all domains of life" }],
    [
      "100M_pre",
      { parameters: 106_463_611, context: 1_048_576, trainedOn: "genomes of all domains of life" },
    ],
    [
      "650M_pre",
      { parameters: 651_829_819, context: 1_048_576, trainedOn: "genomes of all domains of life" },
    ],
  ]),
  ...group("arcinstitute/evo2_{}", script("examples/adapters/evo2_adapter.py"), evo2, [
    ["1b_base", { parameters: 1e9, context: 8192 }],
    ["7b_base", { parameters: 7e9, context: 8192 }],
    ["7b_262k", { parameters: 7e9, context: 262_144 }],
    ["7b", { parameters: 7e9, context: 1_048_576 }],
    ["20b", { parameters: 20e9, context: 1_048_576 }],
    ["40b_base", { parameters: 40e9, context: 8192 }],
    ["40b", { parameters: 40e9, context: 1_048_576 }],
  ]),
  ...group(
    "{}",
    family("stripedhyena"),
    { ...evo, ...evo1(1), architecture: "StripedHyena", context: 8192 },
    [
      ["togethercomputer/evo-1-8k-base", prokaryotes],
      ["togethercomputer/evo-1-131k-base", { ...prokaryotes, ...evo1(16), context: 131_072 }],
      ["evo-design/evo-1.5-8k-base", prokaryotes],
      ["LongSafari/evo-1-8k-crispr", { trainedOn: "prokaryotic and phage genomes, then CRISPR-Cas loci" }],
      [
        "LongSafari/evo-1-8k-transposon",
        { trainedOn: "prokaryotic and phage genomes, then IS200/IS605 loci" },
      ],
    ],
  ),
  ...group("kuleshov-group/PlantCAD2-{}", script(REPOSITORY_CODE), plantCad2, [
    ["Small-l24-d0768", { parameters: 88e6 }],
    ["Medium-l48-d1024", { parameters: 311e6 }],
    ["Large-l48-d1536", { parameters: 694e6 }],
  ]),
  ...group(
    "GenerTeam/GENERanno-{}",
    script(REPOSITORY_CODE),
    { tokens: "bases", context: 8192, parameters: 493_395_200 },
    [
      ["prokaryote-0.5b-base", { architecture: "Generanno", trainedOn: "prokaryotic genomes" }],
      ["eukaryote-0.5b-base", { architecture: "Generanno", trainedOn: "eukaryotic genomes" }],
    ],
  ),
  ...group(
    "HuggingFaceBio/Carbon-{}",
    script(REPOSITORY_CODE),
    { ...llama, tokens: "6-mers and byte pairs", trainedOn: "DNA and RNA, mostly of eukaryotes" },
    [
      ["500M", { context: 8192, parameters: 500e6 }],
      ["3B", { context: 32_768, parameters: 3e9 }],
      ["8B", { context: 32_768, parameters: 8e9 }],
    ],
  ),
  ...group("neuralbioinfo/prokbert-{}", script(REPOSITORY_CODE), megatron, [
    ["mini", { tokens: "overlapping 6-mers", context: 1024 }],
    ["mini-c", { tokens: "bases", context: 2048 }],
    ["mini-long", { tokens: "6-mers, each second", context: 2048 }],
  ]),
  ...group(
    "JadenLong/{}",
    script(REPOSITORY_CODE),
    { architecture: "RoPEBertForMaskedLM", tokens: "bases" },
    [["MutBERT", { trainedOn: "human genome with variants", parameters: 86e6 }]],
  ),
  ...group(
    "Mishamq/HybriDNA-{}",
    script(REPOSITORY_CODE),
    { architecture: "HybriDNA", tokens: "bases", trainedOn: "genomes of several species", context: 131_072 },
    [
      ["300M", { parameters: 297_534_688 }],
      ["3B", { parameters: 3_119_400_960 }],
      ["7B", { parameters: 6_253_397_504 }],
    ],
  ),
  ...group(
    "zehui127/Omni-DNA-{}",
    script(REPOSITORY_CODE),
    { architecture: "OLMoModelForCausalLM", tokens: "byte pairs", trainedOn: "genomes of several species" },
    [
      ["116M", { parameters: 116e6 }],
      ["1B", { parameters: 1e9 }],
    ],
  ),
  ...group(
    "genbio-ai/AIDO.DNA-{}",
    script("the package modelgenerator"),
    {
      architecture: "Transformer encoder",
      tokens: "bases",
      context: 4000,
      trainedOn: "genomes of 796 species",
    },
    [
      ["300M", { parameters: 300_264_464 }],
      ["7B", { parameters: 7e9 }],
    ],
  ),
];

/** The entry of a repository; undefined for others. */
export const hubCheckpoint = (repo: string): HubCheckpoint | undefined =>
  HUB_CHECKPOINTS.find((each) => each.repo === repo);
