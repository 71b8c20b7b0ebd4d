// Adds your own family of checkpoints: its tensors, its forward pass and a card. Its checkpoint folders then open
// like those of the package. This one predicts a base from the base before it, with random weights.
//   npx tsx examples/own-family.ts checkpoint ACGTACGTACGT GATTACAGATTA
import { InputError, openModel } from "dart-eval";
import { letterTokenizer } from "dart-eval/dna";
import { type Architecture, initCheckpoint, type LanguageModelCard, ParameterTable } from "dart-eval/models";
import * as net from "dart-eval/net";

const TOKENS = ["[PAD]", "A", "C", "G", "T", "N"];

function bigramArchitecture(width: number): Architecture {
  const table = new ParameterTable();
  const embedding = table.embedding("bigram.embedding", TOKENS.length, width);
  const head = table.linear("bigram.head", width, TOKENS.length);
  return {
    width,
    layers: 0,
    vocabulary: TOKENS.length,
    maxTokens: Number.POSITIVE_INFINITY,
    tensors: [...table.tensors.values()],
    ignored: [],
    takesMask: false,
    fixedLength: false,
    forward({ ids }) {
      const lastHidden = net.embed(embedding, ids); // [batch, tokens, width]
      return { hiddenStates: [lastHidden], lastHidden, logits: net.linear(head, lastHidden) };
    },
    classifier(labels) {
      const score = new ParameterTable();
      const dense = score.linear("score", width, labels);
      return {
        tensors: [...score.tensors.values()],
        logits: ({ lastHidden }) => net.linear(dense, net.graph.reduceMean(lastHidden, [1])),
      };
    },
    adaptedModules: [],
    withLora: () => bigramArchitecture(width),
    initializer: ({ shape }) =>
      shape.length === 1 ? { kind: "constant", value: 0 } : { kind: "normal", std: 1 },
    liveValuesPerToken: 2 * width + TOKENS.length,
  };
}

const bigram: LanguageModelCard = {
  name: "bigram",
  title: "Bigram",
  kind: "causal",
  tokens: "one-letter",
  cite: "an example",
  licence: "Apache-2.0",
  recognises: ({ model_type }) => model_type === "bigram",
  architecture({ hidden_size: width }, file) {
    if (typeof width !== "number") throw new InputError("hidden_size is not a number", { place: { file } });
    return bigramArchitecture(width);
  },
  async tokenizer() {
    return letterTokenizer({
      name: "bigram",
      idOf: (character) => (TOKENS.includes(character) ? TOKENS.indexOf(character) : undefined),
      vocabularySize: TOKENS.length,
      special: { pad: 0 },
      before: [],
      after: [],
      token: (id) => TOKENS[id],
    });
  },
  checkpoints: [],
  toys: { tiny: { model_type: "bigram", hidden_size: 4 } },
  referenceOutputs: [],
};

const [folder, ...sequences] = process.argv.slice(2);
if (folder === undefined || sequences.length === 0) {
  console.error("usage: npx tsx examples/own-family.ts checkpoint ACGTACGTACGT GATTACAGATTA");
  process.exit(2);
}
await initCheckpoint(bigram, { preset: "tiny", seed: 0, folder });
await using model = await openModel(folder, { families: [bigram] });
const logLikelihoods = await model.logLikelihood(sequences);
sequences.forEach((sequence, i) => {
  console.log(`${sequence} ${logLikelihoods[i].toFixed(3)} nats`);
});
