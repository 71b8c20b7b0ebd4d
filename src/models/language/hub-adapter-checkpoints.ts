import { group, type HubCheckpoint, type Service } from "./hub-checkpoint.ts";

const script = (needs: string): Service => ({ by: "script", needs });
const REPOSITORY_CODE = "the repository's own code";

const human = { trainedOn: "human genome" };
const apache = { licence: "Apache-2.0" };
const mit = { licence: "MIT" };
const plantCad2 = {
  architecture: "CaduceusForMaskedLM",
  tokens: "bases",
  context: 8192,
  trainedOn: "genomes of 65 angiosperms",
};
const ntv3 = {
  architecture: "U-Net with attention",
  tokens: "bases",
  context: 1_048_576,
  trainedOn: "genomes of all domains of life",
  licence: "non-commercial, gated",
};
const evo2 = {
  architecture: "StripedHyena 2",
  tokens: "bytes",
  ...apache,
  trainedOn: "genomes of all domains of life",
};
const prokBert = {
  architecture: "ProkBertForMaskedLM",
  trainedOn: "bacterial and viral genomes",
  licence: "CC-BY-NC-4.0",
};
const omniDna = {
  architecture: "OLMoModelForCausalLM",
  tokens: "byte pairs",
  trainedOn: "genomes of several species",
  context: 250,
  ...mit,
};
const bmfmDna = { architecture: "ModernBERT", tokens: "byte pairs", parameters: 113e6 };
const genos = {
  architecture: "mixture-of-experts decoder",
  tokens: "bases",
  context: 1_000_000,
  trainedOn: "636 human genomes",
};
const mutBert = {
  architecture: "RoPEBertForMaskedLM",
  tokens: "bases",
  parameters: 86e6,
  context: 512,
  ...mit,
};

/** Checkpoints whose architecture is code of their repository or of a package, which an adapter runs. */
export const ADAPTER_CHECKPOINTS: readonly HubCheckpoint[] = [
  ...group("InstaDeepAI/NTv3_{}", script("examples/adapters/nucleotide_transformer_v3.py"), ntv3, [
    ["8M_pre", { parameters: 7_692_507 }],
    ["100M_pre", { parameters: 106_463_611 }],
    ["650M_pre", { parameters: 651_829_819 }],
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
  ...group("evo-design/{}", script("examples/adapters/evo2_adapter.py"), evo2, [
    [
      "evo-2-7b-8k-microviridae",
      { parameters: 7e9, context: 10_240, trainedOn: "genomes of all domains of life, then of Microviridae" },
    ],
  ]),
  ...group("kuleshov-group/PlantCAD2-{}", script(REPOSITORY_CODE), plantCad2, [
    ["Small-l24-d0768", { parameters: 88e6 }],
    ["Medium-l48-d1024", { parameters: 311e6 }],
    ["Large-l48-d1536", { parameters: 694e6 }],
  ]),
  ...group(
    "GenerTeam/GENERanno-{}",
    script(REPOSITORY_CODE),
    { tokens: "bases", context: 8192, parameters: 493_395_200, ...mit },
    [
      ["prokaryote-0.5b-base", { architecture: "Generanno", trainedOn: "prokaryotic genomes" }],
      ["eukaryote-0.5b-base", { architecture: "Generanno", trainedOn: "eukaryotic genomes" }],
    ],
  ),
  ...group(
    "HuggingFaceBio/Carbon-{}",
    script(REPOSITORY_CODE),
    {
      architecture: "LlamaForCausalLM",
      tokens: "6-mers and byte pairs",
      trainedOn: "DNA and RNA, mostly of eukaryotes",
      ...apache,
    },
    [
      ["500M", { context: 8192, parameters: 500e6 }],
      ["3B", { context: 32_768, parameters: 3e9 }],
      ["8B", { context: 32_768, parameters: 8e9 }],
    ],
  ),
  ...group("neuralbioinfo/prokbert-{}", script(REPOSITORY_CODE), prokBert, [
    ["mini", { tokens: "overlapping 6-mers", context: 1024, parameters: 20.6e6 }],
    ["mini-c", { tokens: "bases", context: 1024, parameters: 24.9e6 }],
    ["mini-long", { tokens: "6-mers, each second", context: 2048, parameters: 26.6e6 }],
  ]),
  ...group("JadenLong/MutBERT{}", script(REPOSITORY_CODE), mutBert, [
    ["", { trainedOn: "human genome with variants" }],
    ["-Human-Ref", human],
    ["-Multi", { trainedOn: "genomes of several species" }],
  ]),
  ...group(
    "Mishamq/HybriDNA-{}",
    script(REPOSITORY_CODE),
    { architecture: "HybriDNA", tokens: "bases", trainedOn: "genomes of several species", context: 131_074 },
    [
      ["300M", { parameters: 297_534_688 }],
      ["3B", { parameters: 3_119_400_960 }],
      ["7B", { parameters: 6_253_397_504 }],
    ],
  ),
  ...group("zehui127/Omni-DNA-{}", script(REPOSITORY_CODE), omniDna, [
    ["20M", { parameters: 20e6 }],
    ["60M", { parameters: 60e6 }],
    ["116M", { parameters: 116e6 }],
    ["300M", { parameters: 300e6 }],
    ["700M", { parameters: 700e6 }],
    ["1B", { parameters: 1e9 }],
  ]),
  ...group(
    "genbio-ai/AIDO.DNA-{}",
    script("the package modelgenerator"),
    {
      architecture: "Transformer encoder",
      tokens: "bases",
      context: 4000,
      trainedOn: "genomes of 796 species",
      licence: "GenBio AI",
    },
    [
      ["300M", { parameters: 300_264_464 }],
      ["7B", { parameters: 7e9 }],
    ],
  ),
  ...group("ZhejiangLab/Genos-{}", script("Transformers' AutoModelForCausalLM"), genos, [
    ["1.2B", { parameters: 1.2e9 }],
    ["10B", { parameters: 10e9 }],
    ["10B-v2", { parameters: 10e9, trainedOn: "genomes of humans, other primates and mammals" }],
  ]),
  ...group("ibm-research/biomed.dna.{}.modernbert.113m.v1", script("the package bmfm-targets"), bmfmDna, [
    ["ref", human],
    ["snp", { trainedOn: "human genome with variants" }],
  ]),
  ...group("m42-health/{}", script("the package BioFM-Eval"), { tokens: "bases and annotation" }, [
    [
      "BioFM-265M",
      {
        architecture: "WeighedMistralForCausalLM",
        parameters: 265e6,
        context: 6000,
        trainedOn: "human genomes of the 1000 Genomes Project",
        licence: "CC-BY-NC-4.0",
      },
    ],
  ]),
  ...group("songlab/{}", script("the package gpn"), { tokens: "bases" }, [
    [
      "PhyloGPN",
      {
        architecture: "convolutional network",
        parameters: 83e6,
        context: 481,
        trainedOn: "human genome, aligned genomes of other mammals",
        licence: "CC",
      },
    ],
  ]),
];
