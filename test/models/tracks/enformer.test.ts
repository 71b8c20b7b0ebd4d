import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { evaluate } from "../../../src/evaluation/evaluate.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { openModel } from "../../../src/models/open-model.ts";
import { enformerGraph, PUBLISHED_SIZES } from "../../../src/models/tracks/enformer.ts";
import { relativePositionFeatures } from "../../../src/models/tracks/relative-positions.ts";
import { trackValues } from "../../../src/models/tracks/track-model.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { sharedGenome } from "../../shared-genomes.ts";
import { repository } from "../../source-files.ts";

const golden = join(repository, "test", "golden", "enformer");
interface Golden {
  readonly sequences: readonly string[];
  readonly bins: number;
  /** Signals of all sequences, bins and tracks, by scale of the gamma features and head. */
  readonly predictions: Readonly<
    Record<"features" | "distances", Readonly<Record<"human" | "mouse", number[]>>>
  >;
  /** Gamma features of distances 0 … 39. */
  readonly features: readonly (readonly number[])[];
  readonly published: {
    readonly distances: readonly number[];
    readonly gammas: readonly (readonly number[])[];
  };
}
const expected: Golden = JSON.parse(readFileSync(join(golden, "predictions.json"), "utf8"));
const LENGTH = expected.sequences[0].length;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dart-eval-enformer-"));
  copyFileSync(join(golden, "config.json"), join(folder, "config.json"));
  writeFileSync(
    join(folder, "model.safetensors"),
    gunzipSync(readFileSync(join(golden, "model.safetensors.gz"))),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function open(spec: string) {
  const model = await openModel(spec);
  onTestFinished(() => model.close());
  return model;
}

/** ln(1 + signal) of a track over the central 32 of 36 bins of each sequence. */
function activities(scale: "features" | "distances", head: "human" | "mouse", track: number): number[] {
  const { bins, predictions, sequences } = expected;
  const tracks = predictions[scale][head].length / sequences.length / bins;
  return sequences.map((_, row) => {
    let sum = 0;
    for (let bin = 2; bin < bins - 2; bin++)
      sum += predictions[scale][head][(row * bins + bin) * tracks + track];
    return Math.log1p(sum);
  });
}

describe("a tiny Enformer", () => {
  test.each([
    ["track=0", "features", "human", 0],
    ["track=4", "features", "human", 4],
    ["head=mouse,track=2", "features", "mouse", 2],
    ["gammas=tensorflow,track=4", "distances", "human", 4],
  ] as const)("predicts what its PyTorch port predicts: %s", async (options, scale, head, track) => {
    const model = await open(`enformer:${options},length=${LENGTH},${folder}`);
    expect(model).toMatchObject({ family: "enformer", inputLength: LENGTH });
    const values = [...(await model.predictActivity(expected.sequences))];
    expect(values).toEqual(activities(scale, head, track).map((value) => expect.closeTo(value, 6)));
  });

  test("depends on the form of its gamma features, and so does its identity", async () => {
    expect(activities("features", "human", 4)).not.toEqual(
      activities("distances", "human", 4).map((value) => expect.closeTo(value, 4)),
    );
    const [port, published] = await Promise.all(
      ["port", "tensorflow"].map((form) =>
        open(`enformer:gammas=${form},track=1,length=${LENGTH},${folder}`),
      ),
    );
    expect(port.identity).not.toBe(published.identity);
    const copy = join(folder, "models--EleutherAI--enformer-official-rough");
    mkdirSync(copy);
    for (const name of ["config.json", "model.safetensors"])
      copyFileSync(join(folder, name), join(copy, name));
    expect((await open(`enformer:track=1,length=${LENGTH},${copy}`)).identity).toBe(published.identity);
  });

  test("is refused for another track, head, length, option or sequence", async () => {
    const error = async (spec: string) => {
      const found: unknown = await openModel(spec).catch((error) => error);
      expect(found).toBeInstanceOf(InputError);
      return (found as InputError).describe();
    };
    expect(await error(`enformer:track=5,length=${LENGTH},${folder}`)).toMatch(
      /no track 5 of the head human[\s\S]*human with 5 tracks, mouse with 3 tracks/,
    );
    expect(await error(`enformer:head=rat,track=0,${folder}`)).toMatch(/head rat/);
    expect(await error(`enformer:track=0,length=1296,${folder}`)).toMatch(/1296 bases make 40.5 bins of 32/);
    expect(await error(`enformer:track=0,length=1024,${folder}`)).toMatch(/make 32 bins/);
    expect(await error(`enformer:tracks=0,${folder}`)).toMatch(/tracks is not an option/);
    expect(await error("enformer:track=x,f")).toMatch(/track=x is not a whole number/);
    const model = await open(`enformer:track=0,length=${LENGTH},${folder}`);
    await expect(model.predictActivity(["ACGT"])).rejects.toThrow(/reads 1280 bases, but a sequence has 4/);
    const perLine = await open(`enformer:${folder}`);
    await expect(Promise.resolve(perLine.forCellLine!("HeLa"))).rejects.toThrow(
      /no track of Enformer is known/,
    );
    await expect(Promise.resolve(perLine.forCellLine!("K562"))).rejects.toThrow(/no track 121/);
  });

  test("is evaluated with --context, and a run without it names the number", async () => {
    const files = await sharedGenome({ seed: 0, scale: 0.1 });
    const { peaksTable, confidentPeaksTable, nonPeaksTable, signal } = files.cellLines.K562;
    const inputs = {
      genome: files.genome,
      peaks: peaksTable,
      idr: confidentPeaksTable,
      nonpeaks: nonPeaksTable,
      signal,
      "cell-line": "K562",
    };
    const model = await open(`enformer:track=3,length=2560,${folder}`);
    const request = { task: "chromatin-activity", inputs } as const;
    const run = { tasks: [request], models: [model], settings: ["predicted"], timing: false } as const;
    await expect(planRun(run)).rejects.toThrow(
      /it reads 2560 bases, and the sequences have 2114: add --context 2560/,
    );
    const { cell, counts, predictions } = await evaluate({
      ...request,
      model,
      setting: "predicted",
      limit: 2,
      context: 2560,
    });
    expect(cell.context).toBe(2560);
    expect(predictions).toHaveLength(2);
    expect(counts.rows).toBe(2);
  });
});

describe("relative positions", () => {
  test("are those of the port", () => {
    const features = relativePositionFeatures(40, 12, "features");
    expect(features.shape).toEqual([79, 12]);
    expected.features.forEach((gammas, distance) => {
      const row = [...features.data.subarray((39 + distance) * 12, (40 + distance) * 12)];
      expect(row.slice(4, 6)).toEqual(gammas.map((value) => expect.closeTo(value, 5)));
      expect(row.slice(6)).toEqual(row.slice(0, 6).map((value) => Math.sign(distance) * value));
      const mirrored = [...features.data.subarray((39 - distance) * 12, (40 - distance) * 12)];
      expect(mirrored.slice(0, 6)).toEqual(row.slice(0, 6));
    });
  });

  test("are those of the published table up to its rounding", () => {
    const { data } = relativePositionFeatures(1536, 192, "distances");
    const { distances, gammas } = expected.published;
    distances.forEach((distance, i) => {
      const at = (1535 + distance) * 192 + 64;
      gammas[i].forEach((value, k) => {
        expect(Math.abs(data[at + k] - value)).toBeLessThan(0.0025);
      });
    });
  });
});

test("the published size is planned without weights", () => {
  // The stem's activations, 768 x 196,608 float32 values, take 0.6 GB each.
  const stem = 768 * 196_608;
  const graph = (x: Sym) => enformerGraph(PUBLISHED_SIZES, x, { head: "human", track: 0 });
  const values = trackValues({ graph }, PUBLISHED_SIZES.inputLength, 1);
  expect(values).toBeGreaterThan(3 * stem);
  expect(values).toBeLessThan(6 * stem);
});
