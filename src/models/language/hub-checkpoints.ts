import { ADAPTER_CHECKPOINTS } from "./hub-adapter-checkpoints.ts";
import { group, type HubCheckpoint, type Service } from "./hub-checkpoint.ts";
import { agroNt, bertBase, evo1, generatorSizes, plantCaduceusSizes } from "./hub-configurations.ts";

const family = (name: string): Service => ({ by: "family", family: name });
const bridge: Service = { by: "bridge" };

const human = { trainedOn: "human genome" };
const apache = { licence: "Apache-2.0" };
const mit = { licence: "MIT" };
const byNcSa = { licence: "CC-BY-NC-SA-4.0" };
const arabidopsis = { trainedOn: "Arabidopsis thaliana" };
const plants = { trainedOn: "plant genomes" };
const bert = { architecture: "BertForMaskedLM" };
const mixtral = { architecture: "MixtralForCausalLM", tokens: "byte pairs", context: 512, ...apache };
const llama = { architecture: "LlamaForCausalLM" };
const generator = { ...llama, tokens: "6-mers", context: 16_384, ...mit };
const genomeOcean = {
  architecture: "MistralForCausalLM",
  tokens: "byte pairs",
  trainedOn: "metagenome assemblies",
  licence: "BSD-3-Clause-LBNL",
};
const caduceus = { architecture: "CaduceusForMaskedLM", tokens: "bases" };
const plantCaduceus = { ...caduceus, context: 512, trainedOn: "genomes of 16 angiosperms", ...apache };
const modernBert = { architecture: "ModernBertForMaskedLM", tokens: "byte pairs" };
const prokaryotes = { trainedOn: "prokaryotic and phage genomes" };

/**
 * Public DNA checkpoints on the Hugging Face hub. Names, classes and sizes are those that users of the
 * checkpoints publish (the model zoo of DNALLM, the catalogue of GLMap) and that the authors' papers and
 * model cards state.
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
    ["zhangtaolab/plant-dnabert-BPE", { ...plants, ...byNcSa }],
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
        ...byNcSa,
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
  ...group("songlab/gpn-{}", family("gpn"), { tokens: "bases", ...mit }, [
    [
      "brassicales",
      {
        architecture: "ConvNetForMaskedLM",
        trainedOn: "genomes of Arabidopsis and other Brassicales",
        parameters: 65.9e6,
        context: 512,
      },
    ],
    [
      "animal-promoter",
      { architecture: "GPNForMaskedLM", trainedOn: "promoters of animals", parameters: 152e6 },
    ],
  ]),
  ...group("zhangtaolab/{}", family("gpt2"), { architecture: "GPT2LMHeadModel", tokens: "byte pairs" }, [
    ["plant-dnagpt-BPE", { ...plants, ...byNcSa }],
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
  ...group("GenerTeam/GENERator-v2-{}", family("llama"), { ...llama, tokens: "6-mers", context: 16_384 }, [
    ["eukaryote-1.2b-base", { trainedOn: "eukaryotic genes", parameters: 1.2e9 }],
    ["eukaryote-3b-base", { trainedOn: "eukaryotic genes", parameters: 3e9 }],
    ["prokaryote-1.2b-base", { trainedOn: "prokaryotic genomes", parameters: 1.2e9 }],
    ["prokaryote-3b-base", { trainedOn: "prokaryotic genomes", parameters: 3e9 }],
  ]),
  ...group("DOEJGI/GenomeOcean-{}", family("llama"), genomeOcean, [
    ["100M", { parameters: 119_556_864, context: 1024 }],
    ["500M", { parameters: 541_109_760, context: 1024 }],
    ["4B", { parameters: 4_253_174_784, context: 10_240 }],
  ]),
  ...group("metagene-ai/{}", family("llama"), { ...llama, tokens: "byte pairs" }, [
    ["METAGENE-1", { trainedOn: "wastewater metagenomes", parameters: 7e9, context: 512, ...apache }],
  ]),
  ...group("RaphaelMourad/{}", family("modernbert"), { ...modernBert, context: 8192 }, [
    ["ModernBERT-DNA-v1-37M-hg38", { ...human, parameters: 36_783_616, ...apache }],
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
    ["plant-dnamamba-BPE", { ...plants, ...byNcSa }],
  ]),
  ...group("zhangtaolab/{}", family("modernbert"), modernBert, [["plant-dnamodernbert-BPE", plants]]),
  ...group(
    "{}",
    family("stripedhyena"),
    { tokens: "bytes", ...apache, ...evo1(1), architecture: "StripedHyena", context: 8192 },
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
    [
      "zhangtaolab/plant-dnagemma-BPE",
      { architecture: "GemmaForCausalLM", tokens: "byte pairs", ...plants, ...byNcSa },
    ],
  ]),

  ...ADAPTER_CHECKPOINTS,
];

/** The entry of a repository; undefined for others. */
export const hubCheckpoint = (repo: string): HubCheckpoint | undefined =>
  HUB_CHECKPOINTS.find((each) => each.repo === repo);
