// Computes log-likelihoods of sequences with a checkpoint: a folder, or a name from `dart-eval models list`.
//   npx tsx examples/score-sequences.ts toy:hyenadna ACGTACGTACGT GATTACAGATTA
import { openModel } from "dart-eval";

const [checkpoint, ...sequences] = process.argv.slice(2);
if (checkpoint === undefined || sequences.length === 0) {
  console.error("usage: npx tsx examples/score-sequences.ts toy:hyenadna ACGTACGTACGT GATTACAGATTA");
  process.exit(2);
}
await using model = await openModel(checkpoint);
const logLikelihoods = await model.logLikelihood(sequences);
sequences.forEach((sequence, i) => {
  console.log(`${sequence} ${logLikelihoods[i].toFixed(3)} nats`);
});
