import { join } from "node:path";
import { fileURLToPath } from "node:url";
import h5wasm from "h5wasm/node";
import { describe, expect, test } from "vitest";
import { readRegulatoryElements } from "../../../src/datasets/regulatory-elements/table.ts";
import { openGenome } from "../../../src/dna/genome/genome.ts";
import { evaluate } from "../../../src/evaluation/evaluate.ts";
import { elementAndControlOneHot } from "../../../src/evaluation/tasks/regulatory-elements/rows.ts";
import { openStoredEmbeddings } from "../../../src/models/external/stored-embeddings.ts";
import type { EmbedOptions, SequenceEmbedding } from "../../../src/models/model.ts";
import { classifiedTask, embeddingModel, WINDOW } from "../../evaluation/classified-task.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const from = (...places: readonly (readonly [row: number, member: number])[]): EmbedOptions => ({
  protocol: "paper",
  origins: places.map(([row, member]) => ({ task: "any", row, member })),
});

testWithSharedData(
  "rows of a file in DART-Eval's layout are in numerical, not lexicographic order",
  "formats/hdf5/dart_layout.h5",
  async (path) => {
    const model = await openStoredEmbeddings(path);
    const table = await readRegulatoryElements(sharedData("task1/elements_processed.tsv")!);
    const genome = await openGenome(sharedData("genome/mini.hg38.fa.gz")!);
    const rows = [0, 33, 64, 130, 319];
    for (const row of rows) {
      const { chrom } = table[row];
      const pair = elementAndControlOneHot(await genome.chromosome(chrom), table[row], 0);
      const [element, control] = (await model.embed!(
        ["", ""],
        from([row, 0], [row, 1]),
      )) as readonly SequenceEmbedding[];
      expect([element.tokens, element.width]).toEqual([350, 4]);
      expect(element.states).toEqual(pair.element);
      expect(control.states).toEqual(pair.control);
      expect([...element.starts.subarray(0, 3), ...element.ends.subarray(347)]).toEqual([
        0, 1, 2, 348, 349, 350,
      ]);
    }
    expect(() => model.embed!([""], from([320, 0]))).toThrow(
      /no embedding of sequence 0 of row 320: the file has 320 rows/,
    );
    expect(() => model.embed!([""], { protocol: "paper" })).toThrow(/for the rows of a task only/);
    await genome.close();
    await model.close!();
  },
);

/** A file in the original's format for a model with tokens of several bases. */
async function fileOf(
  states: readonly Float32Array[],
  { tokens, width, map }: { tokens: number; width: number; map: Int32Array },
  change: (file: InstanceType<typeof h5wasm.File>) => void = () => {},
): Promise<string> {
  await h5wasm.ready;
  const path = join(temporaryFolder(), "embeddings.h5");
  const file = new h5wasm.File(path, "w");
  const rows = states.length / 2;
  for (const [member, group] of ["seq", "ctrl"].entries()) {
    const made = file.create_group(group);
    const index = Uint32Array.from({ length: rows * map.length }, (_, i) => map[i % map.length]);
    made.create_dataset({ name: "idx_var", data: index, shape: [rows, map.length] });
    for (let start = 0; start < rows; start += 10) {
      const end = Math.min(start + 10, rows);
      const data = new Float32Array((end - start) * tokens * width);
      for (let row = start; row < end; row++)
        data.set(states[2 * row + member], (row - start) * tokens * width);
      made.create_dataset({ name: `emb_${start}_${end}`, data, shape: [end - start, tokens, width] });
    }
  }
  change(file);
  file.close();
  return path;
}

describe("a probed run on stored embeddings", () => {
  const task = classifiedTask({ rows: 24 });
  const perToken = 3;
  const recipe = { epochs: 2 };

  async function made() {
    const model = embeddingModel({ perToken });
    const opened = await task.open({}, { seed: 0 });
    const examples = await opened.examples(
      opened.select({ split: "all", purpose: "evaluate", limit: null }).rows.slice(),
    );
    const sequences = examples.flatMap((example) => example.sequences);
    const given = (await model.embed!(sequences, { protocol: "corrected" })) as readonly SequenceEmbedding[];
    const map = Int32Array.from({ length: WINDOW }, (_, base) => Math.floor(base / perToken));
    const { tokens, width } = given[0];
    return { model, states: given.map(({ states }) => states), sizes: { tokens, width, map } };
  }

  test("equals the model's own embeddings", async () => {
    const { model, states, sizes } = await made();
    const stored = await openStoredEmbeddings(await fileOf(states, sizes));
    const options = { task, inputs: {}, setting: "probed", recipe, protocol: "paper" } as const;
    const [own, looked] = [
      await evaluate({ ...options, model }),
      await evaluate({ ...options, model: stored }),
    ];
    expect(looked.predictions).toEqual(own.predictions);
    await stored.close!();
  });

  test("uses the recipe of its family", async () => {
    const { states, sizes } = await made();
    const path = await fileOf(states, sizes);
    const options = { task, inputs: {}, setting: "probed", recipe, protocol: "paper" } as const;
    const stored = await openStoredEmbeddings(`embeddings:family=caduceus,${path}`);
    expect((await evaluate({ ...options, model: stored })).family).toBe("caduceus");
    await stored.close!();
    await expect(openStoredEmbeddings(`embeddings:family=transformer,${path}`)).rejects.toThrow(
      /family of .*"transformer"/,
    );
  });

  test("fails when the file is inconsistent", async () => {
    const { states, sizes } = await made();
    const refusals: [RegExp, (file: InstanceType<typeof h5wasm.File>) => void][] = [
      [/begins with row 30; expected row 24/, (file) => addTo(file, "emb_30_31", [1, 9, 4])],
      [/has shape \[2,9,4\]; expected \[1, tokens, 4\]/, (file) => addTo(file, "emb_24_25", [2, 9, 4])],
      [/is uint32 of shape \[24,24\], for 25 rows/, (file) => addTo(file, "emb_24_25", [1, 9, 4])],
    ];
    for (const [message, change] of refusals) {
      await expect(openStoredEmbeddings(await fileOf(states, sizes, change))).rejects.toThrow(message);
    }
  });

  test("fails when a state is not finite", async () => {
    const { states, sizes } = await made();
    const odd = states.map((state, i) => (i === 31 ? state.with(5, Number.NaN) : state));
    // Sequence 31 is the control of row 15, the sixth row of its batch.
    const element = 5 * sizes.tokens * sizes.width + 5;
    await expect(openStoredEmbeddings(await fileOf(odd, sizes))).rejects.toMatchObject({
      message: `element ${element} is NaN: every state must be a finite number`,
      place: { tensor: "ctrl/emb_10_20" },
    });
  });
});

function addTo(file: InstanceType<typeof h5wasm.File>, name: string, shape: number[]): void {
  const size = shape.reduce((product, length) => product * length, 1);
  const group = file.get("seq");
  if (group !== null && "create_dataset" in group) {
    group.create_dataset({ name, data: new Float32Array(size), shape });
  }
}

test.each([
  ["external-storage.h5", "is external storage"],
  ["virtual.h5", "is a virtual dataset"],
  ["external-link.h5", "is a link to another file"],
])("%s: states in another file are an error", async (name, message) => {
  const path = fileURLToPath(new URL(`../../golden/hdf5/${name}`, import.meta.url));
  await expect(openStoredEmbeddings(path)).rejects.toThrow(message);
});

test("float16 states are widened exactly", async () => {
  const model = await openStoredEmbeddings(
    fileURLToPath(new URL("../../golden/hdf5/half.h5", import.meta.url)),
  );
  const [first] = (await model.embed!([""], from([0, 0]))) as readonly SequenceEmbedding[];
  expect([...first.states]).toEqual([0.5, -1.25, 2]);
  await model.close?.();
});
