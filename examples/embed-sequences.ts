// Embeds sequences: the last hidden state of every token, and their mean over the bases of a sequence.
//   npx tsx examples/embed-sequences.ts toy:caduceus ACGTACGTACGT GATTACAGATTA
import { openModel } from "dart-eval";

const [checkpoint, ...sequences] = process.argv.slice(2);
if (checkpoint === undefined || sequences.length === 0) {
  console.error("usage: npx tsx examples/embed-sequences.ts toy:caduceus ACGTACGTACGT GATTACAGATTA");
  process.exit(2);
}
await using model = await openModel(checkpoint);
const states = await model.embed(sequences);
const means = await model.pool(sequences);
sequences.forEach((sequence, i) => {
  const { tokens, width } = states[i];
  const first = Array.from(means[i].slice(0, 3), (value) => value.toFixed(3));
  console.log(`${sequence} states [${tokens}, ${width}], mean [${first.join(", ")}, ...]`);
});
