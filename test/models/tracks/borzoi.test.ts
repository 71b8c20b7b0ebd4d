import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { openModel } from "../../../src/models/open-model.ts";
import { asCoverage, BORZOI_SIZES, borzoi, borzoiGraph, unitsOf } from "../../../src/models/tracks/borzoi.ts";
import { trackValues } from "../../../src/models/tracks/track-model.ts";
import { input } from "../../../src/net/graph/build.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { bytesOf, safetensorsBytes } from "../../net/arrays/safetensors-bytes.ts";
import { repository } from "../../source-files.ts";
import { hashedArray } from "../hashed-weights.ts";

interface Golden {
  readonly sequences: readonly string[];
  readonly bins: number;
  readonly cases: Readonly<
    Record<
      "relative" | "rotary",
      {
        readonly config: Readonly<Record<string, unknown>>;
        readonly tensors: Readonly<Record<string, readonly number[]>>;
        /** [sequences, tracks, bins], flattened */
        readonly signals: Readonly<Record<"human" | "mouse", readonly number[]>>;
      }
    >
  >;
  readonly published: {
    readonly predicted: readonly number[];
    readonly tracks: readonly {
      readonly track: number;
      readonly description: string;
      readonly experiment: string | null;
      /** Per bin, of the predicted values. */
      readonly coverage: readonly number[];
    }[];
    readonly others: readonly string[];
  };
}
const golden: Golden = JSON.parse(readFileSync(join(repository, "test", "golden", "borzoi.json"), "utf8"));
const LENGTH = golden.sequences[0].length;
const TRACKS = { human: 5, mouse: 3 } as const;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dart-eval-borzoi-"));
  for (const [name, { config, tensors }] of Object.entries(golden.cases)) {
    const folder = join(root, name);
    mkdirSync(folder);
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    const arrays = Object.entries(tensors).map(([at, shape]) => [at, hashedArray(at, shape)] as const);
    let end = 0;
    const header = Object.fromEntries(
      arrays.map(([at, { shape, data }]) => {
        const start = end;
        end += data.byteLength;
        return [at, { dtype: "F32", shape, data_offsets: [start, end] }];
      }),
    );
    const data = Buffer.concat(arrays.map(([, array]) => bytesOf(array.data as Float32Array)));
    writeFileSync(join(folder, "model.safetensors"), safetensorsBytes(header, data));
  }
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

async function open(spec: string) {
  const model = await openModel(spec);
  onTestFinished(() => model.close());
  return model;
}

/** ln(1 + signal) of a track over the central 32 of the predicted bins of each sequence. */
function activities(name: "relative" | "rotary", head: "human" | "mouse", track: number): number[] {
  const skipped = (golden.bins - 32) / 2;
  return golden.sequences.map((_, row) => {
    const start = (row * TRACKS[head] + track) * golden.bins + skipped;
    const central = golden.cases[name].signals[head].slice(start, start + 32);
    return Math.log1p(central.reduce((sum, value) => sum + value, 0));
  });
}

describe("a tiny Borzoi", () => {
  test.each([
    ["relative", "human", 0],
    ["relative", "mouse", 2],
    ["rotary", "human", 4],
    ["rotary", "mouse", 0],
  ] as const)(
    "predicts what borzoi-pytorch predicts: %s positions, %s track %i",
    async (name, head, track) => {
      const model = await open(`borzoi:head=${head},track=${track},length=${LENGTH},${join(root, name)}`);
      expect(model).toMatchObject({ family: "borzoi", inputLength: LENGTH });
      const values = [...(await model.predictActivity(golden.sequences))];
      const expected = activities(name, head, track);
      expect(values).toEqual(expected.map((value) => expect.closeTo(value, 5)));
    },
  );

  test("is refused for another track, head, length, option or config", async () => {
    const folder = join(root, "relative");
    const error = async (spec: string) => {
      const found: unknown = await openModel(spec).catch((error) => error);
      expect(found).toBeInstanceOf(InputError);
      return (found as InputError).describe();
    };
    expect(await error(`borzoi:track=5,length=${LENGTH},${folder}`)).toMatch(
      /no track 5 of the head human[\s\S]*human with 5 tracks, mouse with 3 tracks/,
    );
    expect(await error(`borzoi:head=rat,track=0,${folder}`)).toMatch(/head rat/);
    expect(await error(`borzoi:track=0,length=2080,${folder}`)).toMatch(/2080 bases make 65 bins of 32/);
    expect(await error(`borzoi:track=0,length=1024,${folder}`)).toMatch(/at least the 40 predicted bins/);
    expect(await error(`borzoi:gammas=port,track=0,${folder}`)).toMatch(/gammas is not an option of Borzoi/);
    const perLine = await open(`borzoi:${folder}`);
    await expect(Promise.resolve(perLine.forCellLine!("K562"))).rejects.toThrow(/no track 1397/);
    const other = join(root, "other");
    mkdirSync(other);
    writeFileSync(join(other, "config.json"), '{"model_type": "prime"}');
    writeFileSync(join(other, "model.safetensors"), safetensorsBytes({}));
    expect(await error(`borzoi:track=0,${other}`)).toMatch(/model_type[\s\S]*the config of a Borzoi/);
  });
});

describe("the published Borzoi", () => {
  const { predicted, tracks, others } = golden.published;

  test("is planned without weights", () => {
    // The first convolution's activations, 512 x 524,288 float32 values, take 1.1 GB each.
    const first = 512 * 524_288;
    const graph = (x: Sym) => borzoiGraph(BORZOI_SIZES, x, { head: "human", track: 0 });
    const values = trackValues({ graph }, BORZOI_SIZES.inputLength, 1);
    expect(values).toBeGreaterThan(1.5 * first);
    expect(values).toBeLessThan(6 * first);
  });

  test("predicts the coverage that its tracks of DNase-seq and ATAC-seq stand for", async () => {
    const x = input("x", "float32", [predicted.length]);
    const outputs = tracks.map(({ track }) => [`of${track}`, asCoverage(x, unitsOf(7611, track))]);
    const program = await openProgram<string>(Object.fromEntries(outputs), new Map());
    onTestFinished(() => program.close());
    const data = Float32Array.from(predicted);
    const values = await program.run({ x: { dtype: "float32", shape: [predicted.length], data } });
    for (const { track, description, coverage } of tracks) {
      expect(description).toMatch(/^(DNASE|ATAC):/);
      coverage.forEach((value, i) => {
        expect(Number(values[`of${track}`].data[i]) / value).toBeCloseTo(1, 5);
      });
    }
    expect(others.join()).not.toMatch(/DNASE|ATAC/);
    expect([unitsOf(7611, 1275), unitsOf(7611, 2182), unitsOf(5, 1345)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("has a track of DNase-seq for each cell line", () => {
    const described = Object.entries(borzoi.cellLineTracks).map(([line, track]) => {
      const found = tracks.find((each) => each.track === track)!;
      return [line, found.description, found.experiment];
    });
    expect(described).toEqual([
      ["GM12878", "DNASE:GM12878", "ENCSR000EMT"],
      ["H1ESC", "DNASE:H1-hESC", "ENCSR000EMU"],
      ["K562", "DNASE:K562", "ENCSR000EOT"],
      ["HEPG2", "DNASE:HepG2", "ENCSR149XIL"],
      ["IMR90", "DNASE:IMR-90", "ENCSR477RTP"],
    ]);
  });
});
