import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { writeSyntheticGenome } from "../../src/demo/synthetic/write.ts";
import { runCommand } from "./collecting-terminal.ts";

// Wrong values of options: each is reported with a remedy, before expensive work and before anything is written.

let folder: string;
let files: SyntheticFiles;
const before = ["a-file", "genome", "not-a-suite.json"];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-wrong-"));
  ({ files } = await writeSyntheticGenome(join(folder, "genome"), { seed: 0, scale: 0.1 }));
  await writeFile(join(folder, "a-file"), "x".repeat(20));
  await writeFile(join(folder, "not-a-suite.json"), '{"tasks": []}');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** `run` of task 1; `FOLDER` in a word is the folder of this test. */
const RUN = "run --task regulatory-elements --model toy:hyenadna --device cpu --no-timing --out FOLDER/new ";

test.each([
  [
    `${RUN}--setting probed --weights FOLDER/a-file`,
    /a-file: this is neither a safetensors file nor a PyTorch/,
  ],
  [`${RUN}--setting probd`, /did you mean probed\?/],
  [
    `${RUN}--setting probed --embeddings memroy`,
    /"memroy" is not a way to store embeddings\n.*mean memory\? .*\.\/memroy/,
  ],
  [`${RUN}--setting probed --recipe epochs=0`, /epochs of the recipe is 0: expected more than 0/],
  [`${RUN}--setting probed --recipe epochs=2.5`, /epochs of the recipe is 2\.5: expected a whole number/],
  [`${RUN}--setting probed --recipe kernel=500`, /kernel of the recipe is 500: expected at most 32/],
  [`${RUN}--setting probed --recipe order=random`, /"random": expected "file" or "shuffled"/],
  [`${RUN}--setting fine-tuned --recipe dropout=1`, /dropout of the recipe is 1: expected less than 1/],
  [
    `${RUN}--setting probed --position-scores 5`,
    /no requested cell has scores of bases.*\n.*setting zero-shot/,
  ],
  [`${RUN}--sbatch FOLDER/a-file --shards 2`, /a-file: this is a file; expected a folder/],
  [`${RUN}--context 351`, /--context is 351/],
  [`${RUN}--until-width 0.1 --shard 1/2`, /until-width needs a run of a single shard/],
  [
    "run --suite FOLDER/not-a-suite.json --data FOLDER --model toy:hyenadna --out FOLDER/new",
    /format: expected "dart-eval suite"\n.*dart-eval suites mini/,
  ],
  [
    "run --suite mini:2 --data FOLDER --model toy:hyenadna --out FOLDER/new",
    /expected a width from 0\.005 to 0\.2/,
  ],
  ["run --add-model toy:hyenadna --out FOLDER/new", /new: no such folder/],
  ["build regulatory-elements --ccres FOLDER/a-file --out FOLDER/new", /a-file:1: the line has 1 column;/],
  [
    "build regulatory-elements --ccres FOLDER/a-file --out FOLDER/new --input-size 0",
    /a whole number, 1 or more/,
  ],
  [
    "chrombpnet train --genome g.fa --signal FOLDER/a-file --peaks p --nonpeaks n --out FOLDER/new --fold FOLDER/none",
    /FOLDER\/none: no such file/,
  ],
  ["report FOLDER/none --out FOLDER/new.html", /none: no such folder/],
  ["report FOLDER/a-file --out FOLDER/new.html", /a-file: this is a file; expected the folder of a run/],
  ["models verify FOLDER/a-file", /a-file: this is a file; expected the folder of a checkpoint/],
  ["status ", /^error: <folder> is empty\n {2}is a variable of the shell not set\?$/],
  ["query --json  FOLDER", /^error: <sql> is empty\n/],
  [
    "report FOLDER/none --out FOLDER/new.png",
    /no report format has the ending "\.png"\n.*`dart-eval export` writes figures as PNG/,
  ],
  ["export FOLDER/none --out FOLDER/new --format csv,xls", /"xls" is not a format/],
  ["leaderboard FOLDER/new", /no leaderboard in this folder\n.*give merged runs/],
  ["leaderboard FOLDER --title Mine", /no leaderboard in this folder/],
  ["compare FOLDER/none", /none: no such file or folder/],
  ["verify FOLDER/genome", /neither a run, nor a cell of one, nor a leaderboard/],
  ["status FOLDER/none", /none: no such folder/],
  ["strata FOLDER/genome --motifs FOLDER/none", /none: no such file/],
  ["strata FOLDER/genome --motifs FOLDER/genome", /genome: this is a folder; expected a file/],
  [
    "run --suite mini --data FOLDER/a-file --model toy:hyenadna --out FOLDER/new",
    /a-file: this is a file; expected a folder\n.*dart-eval data fetch --help/,
  ],
  ["strata FOLDER/none --by gc --edges gc=a,b", /Expected a name and ascending numbers/],
  ["query select FOLDER/none --json --csv", /'--json' cannot be used with option '--csv'/],
  [
    "models init hyenadna --preset toy --out FOLDER/new --tokenizer FOLDER/a-file",
    /takes no tokenizer .*\n.*leave out --tokenizer/,
  ],
])("%s", async (words, message) => {
  const inputs = words.includes("--task")
    ? ["--genome", files.genome, "--data", files.regulatoryElements]
    : [];
  const given = words.split(" ").map((word) => word.replace("FOLDER", folder));
  const { exitCode, said, printed } = await runCommand([...given, ...inputs]);
  const text = said.replaceAll(folder, "FOLDER");
  expect([exitCode, text, printed]).toEqual([2, expect.stringMatching(message), ""]);
  expect(text.split("\n").length).toBeLessThanOrEqual(2);
  expect(text).not.toMatch(/^ {4}at /m);
  expect((await readdir(folder)).sort()).toEqual(before);
});
