// Trains the package's toys, evaluates each on Task 1 of the demo, and writes toys/. An interrupted training
// run resumes; an existing toy is trained again.
// --evaluate computes the metrics of existing toys again and trains nothing.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { evaluate, openModel } from "dart-eval";
import { kindOfPath, namesInFolder } from "../src/base/folder.ts";
import { writeFileAtomic } from "../src/base/write-file.ts";
import { writeSyntheticGenome } from "../src/demo/synthetic/write.ts";
import { initCheckpoint } from "../src/models/checkpoints/init.ts";
import { LANGUAGE_MODELS, languageModelCard } from "../src/models/language/catalogue.ts";
import { pretrain } from "../src/models/training/pretraining.ts";
import { rejectArguments, scriptArguments } from "./arguments.ts";
import { type ChrombpnetRecord, metricsOf, trainChrombpnetToy } from "./toys/chrombpnet.ts";
import { toyCorpus } from "./toys/corpus.ts";
import { readmeOf, type ToyRecord } from "./toys/readme.ts";
import { TOYS, type ToyForm } from "./toys/recipes.ts";

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const WORK = at("runs/toys");

async function train(family: string, { config, length, recipe, pairs }: ToyForm): Promise<void> {
  const card = languageModelCard(family);
  const [from, trained, folder] = [join(WORK, `${family}-first`), join(WORK, family), at(`toys/${family}`)];
  if ((await kindOfPath(from)) === undefined) {
    const toys = { toy: { ...card.toys.toy, ...config } };
    await initCheckpoint({ ...card, toys }, { preset: "toy", seed: 0, folder: from });
  }
  const began = process.cpuUsage();
  const { history, parameters } = await pretrain(
    {
      from,
      ...toyCorpus(length),
      recipe,
      folder: trained,
      onProgress(event) {
        if (event.kind !== "epoch") return;
        const { epoch, trainLoss, validation } = event.record;
        console.log(`${family} epoch ${epoch}: ${trainLoss.toFixed(4)} ${validation.val_loss.toFixed(4)}`);
      },
    },
    LANGUAGE_MODELS,
    { threads: 1 },
  );
  const { user, system } = process.cpuUsage(began);
  console.log(`${family}: ${Math.round((user + system) / 1e6)} s of one core`);

  await rm(folder, { recursive: true, force: true });
  for (const name of await namesInFolder(trained)) {
    if ((await kindOfPath(join(trained, name))) !== "file") continue;
    await writeFileAtomic(join(folder, name), await readFile(join(trained, name)));
  }
  const record: ToyRecord = {
    family,
    recipe: { ...recipe, length },
    parameters: [...parameters.values()].reduce((sum, { data }) => sum + data.length, 0),
    losses: history.map(({ trainLoss, validation }) => [trainLoss, validation.val_loss]),
    accuracy: await pairedAccuracyOf(family, pairs),
  };
  await writeRecord(family, record);
}

/** Paired accuracy on the demo's test chromosomes, which no toy was trained on. */
async function pairedAccuracyOf(family: string, pairs: number | undefined): Promise<ToyRecord["accuracy"]> {
  const { files } = await writeSyntheticGenome(join(WORK, "genome"), { seed: 0, scale: 1 });
  const model = await openModel(`toy:${family}`, { threads: 1 });
  try {
    const { metrics } = await evaluate({
      task: "regulatory-elements",
      inputs: { genome: files.genome, elements: files.regulatoryElements },
      model,
      ...(pairs === undefined ? {} : { limit: pairs }),
    });
    const [{ value, low, high, n }] = metrics[0].intervals;
    console.log(`${family}: paired accuracy ${value} [${low}, ${high}] over ${n}`);
    return { value, low, high, n };
  } finally {
    await model.close?.();
  }
}

async function recordOf(toy: string) {
  const file = at(`toys/${toy}/training.json`);
  return (await kindOfPath(file)) === "file" ? JSON.parse(await readFile(file, "utf8")) : undefined;
}

const writeRecord = (toy: string, record: ToyRecord | ChrombpnetRecord) =>
  writeFileAtomic(at(`toys/${toy}/training.json`), `${JSON.stringify(record, null, 2)}\n`);

/** Computes the metrics of a trained toy again. */
async function evaluateAgain(toy: string): Promise<void> {
  const record = await recordOf(toy);
  const metrics =
    toy === CHROMBPNET
      ? await metricsOf(join(WORK, "genome"))
      : { accuracy: await pairedAccuracyOf(toy, TOYS[toy].pairs) };
  await writeRecord(toy, { ...record, ...metrics });
}

const CHROMBPNET = "chrombpnet";
const { values, positionals } = scriptArguments(
  "npx tsx scripts/train-toys.ts [--evaluate] [family …] [chrombpnet]",
  { evaluate: { type: "boolean", default: false } },
  { allowPositionals: true },
);
const toys = [...Object.keys(TOYS), CHROMBPNET];
const unknown = positionals.find((name) => !toys.includes(name));
if (unknown !== undefined) rejectArguments(`there is no toy ${unknown}: ${toys.join(", ")}`);
for (const toy of positionals.length > 0 ? positionals : toys) {
  if (values.evaluate) await evaluateAgain(toy);
  else if (toy === CHROMBPNET) await trainChrombpnetToy(WORK, at(`toys/${toy}`));
  else await train(toy, TOYS[toy]);
}

const records = await Promise.all(Object.keys(TOYS).map(recordOf));
const present = records.filter((record): record is ToyRecord => record !== undefined);
await writeFileAtomic(at("toys/README.md"), readmeOf(present, await recordOf(CHROMBPNET)));
