import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import type { Genome } from "../../../src/dna/genome/genome.ts";
import type { Interval } from "../../../src/dna/genome/interval.ts";
import { openPredictor } from "../../../src/models/chrombpnet/predictor.ts";
import { insideGenome, readWindows } from "../../../src/models/chrombpnet/regions.ts";
import { regionExamples, regionExamplesInParts } from "../../../src/models/chrombpnet/training/examples.ts";
import { type ChrombpnetRecipe, PUBLISHED_RECIPE } from "../../../src/models/chrombpnet/training/recipe.ts";
import {
  foldOf,
  selectForAccessibility,
  selectForBias,
} from "../../../src/models/chrombpnet/training/region-selection.ts";
import { type ChrombpnetTraining, trainChrombpnet } from "../../../src/models/chrombpnet/training/train.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const SIZES = { inputLength: 128, outputLength: 60, dilatedLayers: 2, firstKernel: 9, profileKernel: 13 };
const RECIPE: ChrombpnetRecipe = {
  ...PUBLISHED_RECIPE,
  bias: { ...SIZES, dilatedLayers: 1, filters: 4 },
  accessibility: { ...SIZES, filters: 8 },
  biasThreshold: 0.8,
  outlierQuantile: 0.999,
  negativesPerPeak: 0.3,
  jitter: 8,
  learningRate: 0.01,
  batchSize: 16,
  epochs: 26,
  patience: 26,
  seed: 3,
};

/**
 * Synthetic data from one seed: a read at every G and C of the background, and many in the centre of a site,
 * of which peaks have one to three. The site is its own reverse complement, so both strands are alike.
 */
const SITE = "TGACGTCA";
const GAP = 200;
const REGIONS = 240;

function world(seed = 1) {
  const rng = new Pcg64(seed);
  const letters = Array.from({ length: (REGIONS + 2) * GAP }, () => "ACGT"[rng.nextUint32() >>> 30]);
  const isPeak = (i: number) => i % 2 === 0;
  const centres = Array.from({ length: REGIONS }, (_, i) => (i + 1) * GAP);
  const sites = centres.map((_, i) => (isPeak(i) ? 1 + (i % 3) : 0));
  centres.forEach((centre, i) => {
    for (let site = 0; site < sites[i]; site++) letters.splice(centre - 18 + 12 * site, 8, ...SITE);
  });
  const text = letters.join("");
  const reads = Float32Array.from(letters, (letter) => (letter === "G" || letter === "C" ? 1 : 0));
  for (let at = text.indexOf(SITE); at >= 0; at = text.indexOf(SITE, at + 1)) reads.fill(30, at + 3, at + 5);
  const bases = new Map([["chr1", Uint8Array.from(letters, (letter) => letter.charCodeAt(0))]]);
  const genome = {
    path: "made.fa",
    chromosomes: new Map([["chr1", letters.length]]),
    chromosome: async (name: string) => bases.get(name)!,
  } as unknown as Genome;
  const values = async (intervals: readonly Interval[]) =>
    intervals.map(({ start, end }) => reads.slice(start, end));
  const regions = centres.map((centre) => ({ chrom: "chr1", centre }));
  return {
    genome,
    signal: { values },
    reads,
    peaks: regions.filter((_, i) => isPeak(i)),
    nonpeaks: regions.filter((_, i) => !isPeak(i)),
  };
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

const { genome, signal, peaks, nonpeaks, reads } = world();
const fold = foldOf({
  train: [`chr1:0-${160 * GAP}`],
  valid: [`chr1:${160 * GAP}-${200 * GAP}`],
  test: [`chr1:${200 * GAP}-${300 * GAP}`],
});
const partOf: ChrombpnetTraining["partOf"] = (region) => {
  const part = fold(region);
  return part === "test" ? undefined : part === "valid" ? "validation" : part;
};

const request = (folder: string, recipe = RECIPE): ChrombpnetTraining => ({
  genome,
  signal,
  peaks,
  nonpeaks,
  partOf,
  recipe,
  folder,
  identity: "made",
  program: { threads: 1 },
});

describe("training on a synthetic genome", () => {
  test("learns the enzyme bias from non-peaks and the site from peaks", async () => {
    const trained = await trainChrombpnet(request(temporaryFolder()));
    const { bias, scaledBias, accessibility } = trained;
    // Regions not used for training.
    const tested = [...peaks, ...nonpeaks].filter((region) => fold(region) === "test");
    const windows = await readWindows(tested, { genome, signal }, { ...SIZES, jitter: 0 });
    const predictor = await openPredictor({ bias: scaledBias, accessibility });
    const predictions = await predictor.predict(windows.map(({ codes }) => codes));
    await predictor.close();
    const observed = windows.map(({ counts }) => Math.log1p(sum([...counts])));
    const error = predictions.map(({ logCounts }, i) => (logCounts - observed[i]) ** 2);
    const mean = sum(observed) / observed.length;
    const spread = observed.map((value) => (value - mean) ** 2);
    expect(sum(error) / sum(spread)).toBeLessThan(0.5); // measured 0.30
    // The maximum of the profile is the centre of a site.
    const tops = predictions.slice(0, 20).map(({ logits }) => logits.indexOf(Math.max(...logits)));
    const starts = tops.map((at, i) => reads[tested[i].centre - 30 + at]);
    expect(starts.filter((value) => value === 30).length).toBeGreaterThan(16);
    expect(trained.biasSelection!.peaks).toEqual([]);
    expect(bias.arrays.get("counts.bias")).not.toEqual(scaledBias.arrays.get("counts.bias"));
  });

  test("resumes bit-identically after an interruption in an epoch", async () => {
    const recipe = { ...RECIPE, epochs: 2 };
    const whole = await trainChrombpnet(request(temporaryFolder(), recipe));
    const folder = temporaryFolder();
    let batches = 0;
    const stop = new AbortController();
    const stopped = trainChrombpnet({
      ...request(folder, recipe),
      abort: stop.signal,
      onProgress: (network, event) => {
        if (event.kind === "batch" && network === "accessibility" && ++batches === 9)
          stop.abort(new Error("stop"));
      },
    });
    await expect(stopped).rejects.toThrow("stop");
    const again = await trainChrombpnet(request(folder, recipe));
    expect(again.accessibility.arrays).toEqual(whole.accessibility.arrays);
    expect(again.accessibilityFit.history).toEqual(whole.accessibilityFit.history);
    expect(again.biasFit!.history).toEqual(whole.biasFit!.history);
  });

  test("leaves out regions off the split or too near an end, and fails without any", async () => {
    const near = [
      { chrom: "chr1", centre: 60 },
      { chrom: "chr1", centre: 64 },
      { chrom: "chr2", centre: 500 },
    ];
    expect(insideGenome(near, genome, 128)).toEqual([near[1]]);
    const nowhere = { ...request(temporaryFolder()), partOf: () => undefined };
    await expect(trainChrombpnet(nowhere)).rejects.toThrow("no peak is in the train split");
    const loud = { ...request(temporaryFolder()), recipe: { ...RECIPE, biasThreshold: 0.2 } };
    await expect(trainChrombpnet(loud)).rejects.toThrow(/non-peak/);
    const shorter = { ...RECIPE, bias: { ...RECIPE.bias, outputLength: 50 } };
    await expect(trainChrombpnet(request(temporaryFolder(), shorter))).rejects.toThrow(
      "outputLength is 50 for the bias and 60 for accessibility",
    );
  });
});

test("windows of peaks have margins for jitter, those of non-peaks do not", async () => {
  const seen: Interval[] = [];
  const watched = {
    values: (intervals: readonly Interval[]) => {
      seen.push(...intervals);
      return signal.values(intervals);
    },
  };
  const recipe = { ...RECIPE, epochs: 1 };
  await trainChrombpnet({ ...request(temporaryFolder(), recipe), signal: watched });
  const widthsAround = (regions: typeof peaks) =>
    new Set(
      seen
        .filter(({ start, end }) => regions.some(({ centre }) => centre === (start + end) / 2))
        .map(({ start, end }) => end - start),
    );
  expect(widthsAround(peaks)).toEqual(new Set([SIZES.outputLength + 2 * RECIPE.jitter]));
  expect(widthsAround(nonpeaks)).toEqual(new Set([SIZES.outputLength]));
});

describe("region selection", () => {
  test("bias: non-peaks below a fraction of the peaks' 1 % quantile, without outliers", () => {
    const peakReads = Array.from({ length: 101 }, (_, i) => 100 + 10 * i); // 1 % quantile 110
    const quiet = { ...PUBLISHED_RECIPE, biasThreshold: 0.5, outlierQuantile: 0.9 };
    const selection = selectForBias(peakReads, [0, 10, 20, 30, 40, 50, 54, 55, 400], quiet);
    // Below 55: 0 10 20 30 40 50 54; quantiles 0.9 and 0.1 of these: 51.6 and 6.
    expect(selection.mostReads).toBeCloseTo(51.6, 10);
    expect(selection.fewestReads).toBeCloseTo(6, 10);
    expect(selection.nonpeaks).toEqual([1, 2, 3, 4, 5]);
    expect(selection.countsWeight).toBe(3);
    expect(() => selectForBias([0, 0], [5, 6], quiet)).toThrow(/no non-peak has fewer than 0 reads/);
  });

  test("accessibility: peaks and non-peaks without outliers; the counts' weight is a tenth of the median", () => {
    const recipe = { ...PUBLISHED_RECIPE, outlierQuantile: 0.8, negativesPerPeak: 0 };
    const selection = selectForAccessibility([10, 20, 30, 40, 50, 60], [5, 21, 49, 51], recipe);
    expect([selection.fewestReads, selection.mostReads]).toEqual([20, 50]);
    expect(selection.peaks).toEqual([2, 3]);
    expect(selection.nonpeaks).toEqual([1, 2]);
    expect(selection.countsWeight).toBe(3.5);
    expect(() => selectForAccessibility([0, 0, 0], [], recipe)).toThrow(/have no reads/);
  });

  test("the counts' weight is at least 1, as in the original", () => {
    const recipe = { ...PUBLISHED_RECIPE, outlierQuantile: 1, negativesPerPeak: 0 };
    expect(selectForAccessibility([2, 3, 4, 5, 6], [], recipe).countsWeight).toBe(1);
    expect(selectForBias([20, 20], [1, 2, 3, 4], recipe).countsWeight).toBe(1);
  });

  test("the counts' weight per median read follows the recipe", () => {
    const recipe = { ...PUBLISHED_RECIPE, outlierQuantile: 1, negativesPerPeak: 0, countsWeight: 2 };
    expect(selectForAccessibility([20, 30, 40, 50, 60], [], recipe).countsWeight).toBe(80);
    expect(selectForBias([200, 200], [10, 20, 30, 40, 50], recipe).countsWeight).toBe(60);
  });
});

describe("examples", () => {
  const letters = "ACGT";
  const at = async (augment: boolean, epoch = 0) => {
    const windows = await readWindows(peaks.slice(0, 12), { genome, signal }, { ...SIZES, jitter: 8 });
    const options = { ...SIZES, ...(augment ? { augment: { seed: 5, batchSize: 8 } } : {}) };
    const rows = Int32Array.from({ length: 8 }, (_, i) => i);
    const feeds = await regionExamples(windows, options).batch(rows, { epoch, batch: 0 });
    const parts = await regionExamplesInParts(windows, options, 3).batch(rows, { epoch, batch: 0 });
    return { feeds, parts: await Promise.all(parts.map((part) => part())) };
  };
  const sequenceOf = (x: Float32Array) =>
    Array.from({ length: 128 }, (_, i) => letters[x.subarray(4 * i, 4 * i + 4).indexOf(1)]).join("");

  test("are centred without augmentation", async () => {
    const { x, counts } = (await at(false)).feeds;
    const { centre } = peaks[2];
    expect((counts.data as Float32Array).slice(2 * 60, 3 * 60)).toEqual(
      reads.slice(centre - 30, centre + 30),
    );
    const sequence = sequenceOf((x.data as Float32Array).slice(2 * 512, 3 * 512));
    const bases = await genome.chromosome("chr1");
    expect(sequence).toBe(String.fromCharCode(...bases.slice(centre - 64, centre + 64)));
  });

  test("are shifted within their margins, every second one reverse-complemented, together with its reads", async () => {
    const { x, counts } = (await at(true)).feeds;
    const shifts = new Set<number>();
    for (let i = 0; i < 8; i++) {
      const sequence = sequenceOf((x.data as Float32Array).slice(i * 512, (i + 1) * 512));
      const given = (counts.data as Float32Array).slice(i * 60, (i + 1) * 60);
      const forward = i % 2 === 0 ? sequence : reversed(sequence);
      const bases = String.fromCharCode(...(await genome.chromosome("chr1")));
      const start = bases.indexOf(forward);
      const shift = start - (peaks[i].centre - 64);
      expect(Math.abs(shift)).toBeLessThanOrEqual(8);
      shifts.add(shift);
      const expected = reads.slice(start + 34, start + 94);
      expect(given).toEqual(i % 2 === 0 ? expected : expected.reverse());
    }
    expect(shifts.size).toBeGreaterThan(3);
    expect((await at(true)).feeds).toEqual((await at(true)).feeds);
    expect((await at(true, 1)).feeds).not.toEqual((await at(true)).feeds);
  });

  test("are the same in parts, and the shares sum to one", async () => {
    const { feeds, parts } = await at(true);
    expect(parts.map(({ x }) => x.shape[0])).toEqual([3, 3, 2]);
    const joined = parts.flatMap(({ counts }) => [...(counts.data as Float32Array)]);
    expect(joined).toEqual([...(feeds.counts.data as Float32Array)]);
    expect(parts.reduce((sum, { share }) => sum + Number(share.data[0]), 0)).toBeCloseTo(1, 6);
  });

  function reversed(sequence: string): string {
    return [...sequence]
      .reverse()
      .map((letter) => letters[3 - letters.indexOf(letter)])
      .join("");
  }
});

test("a fold maps each centre to its split", () => {
  const part = foldOf({ train: ["chr1"], valid: ["chr2:0-10"], test: ["chr2:10-20"] });
  const at = (chrom: string, centre: number) => part({ chrom, centre });
  expect([at("chr1", 5), at("chr2", 9), at("chr2", 10), at("chr2", 20), at("chr3", 0)]).toEqual([
    "train",
    "valid",
    "test",
    undefined,
    undefined,
  ]);
  expect(() => foldOf({ train: ["chr1:9-3"], valid: [], test: [] })).toThrow(
    /neither a chromosome nor a range/,
  );
});
