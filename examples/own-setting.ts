// Defines your own setting and adds it to a task of the benchmark. This one is zero-shot with the mean
// log-likelihood of both strands.
//   npx tsx examples/own-setting.ts genome.fa regulatory-elements.tsv
import { evaluate, openModel } from "dart-eval";
import { reverseComplement } from "dart-eval/dna";
import { regulatoryElements, type Setting } from "dart-eval/evaluation";
import { supports } from "dart-eval/models";

const bothStrands: Setting = {
  name: "both-strands",
  title: "zero-shot, both strands",
  readyAtOnce: true,
  unsupportedReason: (_task, model) =>
    supports(model, "logLikelihood") ? undefined : `${model.name} has no likelihoods`,
  sequencesPerRow: (task) => 2 * task.members.length,
  async open({ model, protocol }) {
    return {
      async predict(examples) {
        if (!supports(model, "logLikelihood")) return [];
        const forward = examples.flatMap(({ sequences }) => sequences);
        const strands = [...forward, ...forward.map(reverseComplement)];
        const scores = await model.logLikelihood(strands, { protocol });
        let at = 0; // rows may have different numbers of sequences
        return examples.map(({ row, sequences, facts }) => {
          const values = sequences.map((_, i) => (scores[at + i] + scores[forward.length + at + i]) / 2);
          at += sequences.length;
          return { kind: "likelihood", row, values, facts };
        });
      },
      async close() {},
    };
  },
};

const { settings } = regulatoryElements;
const task = { ...regulatoryElements, settings: { ...settings, "both-strands": settings["zero-shot"] } };

const [genome, elements] = process.argv.slice(2);
if (genome === undefined || elements === undefined) {
  console.error("usage: npx tsx examples/own-setting.ts genome.fa regulatory-elements.tsv");
  process.exit(2);
}
await using model = await openModel("toy:hyenadna");
const inputs = { genome, elements };
for (const setting of ["zero-shot", bothStrands]) {
  const { cell, metrics } = await evaluate({ task, inputs, model, setting, limit: 50 });
  console.log(`${cell.setting}: ${metrics[0].title} ${metrics[0].value?.toFixed(3)}`);
}
