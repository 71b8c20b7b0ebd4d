// Computes log P(token | context) for every token of a sequence: which bases does a model find surprising?
//   npx tsx examples/token-log-probabilities.ts toy:dnabert2 ACGTACGTACGTGATTACA
import { openModel } from "dart-eval";

const [checkpoint, sequence] = process.argv.slice(2);
if (checkpoint === undefined || sequence === undefined) {
  console.error("usage: npx tsx examples/token-log-probabilities.ts toy:dnabert2 ACGTACGTACGTGATTACA");
  process.exit(2);
}
await using model = await openModel(checkpoint);
const [{ values, starts, ends }] = await model.tokenLogProbabilities([sequence]);
values.forEach((value, token) => {
  const [start, end] = [starts[token], ends[token]];
  console.log(`${start}-${end} ${sequence.slice(start, end)} ${value.toFixed(3)}`);
});
