import { expect, test } from "vitest";
import { caduceusTokenizer, hyenadnaTokenizer } from "../../../src/dna/tokenizers/one-letter.ts";
import {
  countedIn,
  feedsOf,
  maskedTokenTargets,
  nextTokenTargets,
} from "../../../src/models/training/token-targets.ts";

const hyenadna = hyenadnaTokenizer();
const caduceus = caduceusTokenizer();
const LETTERS = "ACGTTGCA".repeat(500);

test("a causal model predicts every next token except special ones", () => {
  const row = hyenadna.encode("ACGT");
  const { ids, labels, counted } = nextTokenTargets(hyenadna, row);
  expect(ids).toEqual(row.ids);
  expect([...labels.subarray(0, 4)]).toEqual([...row.ids.subarray(1)]);
  // A predicts C, C predicts G, G predicts T; [SEP] is not scored, and nothing follows it.
  expect([...counted]).toEqual([1, 1, 1, 0, 0]);
});

test("of the selected tokens 80 % are masked, 10 % replaced, 10 % kept", () => {
  const row = caduceus.encode(LETTERS);
  const { ids, labels, counted } = maskedTokenTargets(caduceus, row, 0, { share: 0.15, seed: 3, epoch: 0 });
  expect(labels).toEqual(row.ids);
  const hidden = countedIn(counted);
  expect(hidden / LETTERS.length).toBeCloseTo(0.15, 1);
  const places = [...ids.keys()].filter((place) => counted[place] === 1);
  const masked = places.filter((place) => ids[place] === caduceus.special.mask);
  const kept = places.filter((place) => ids[place] === row.ids[place]);
  expect(Math.abs(masked.length / hidden - 0.8)).toBeLessThan(0.06);
  expect(Math.abs(kept.length / hidden - 0.1)).toBeLessThan(0.06);
  const specials = new Set<number | undefined>(Object.values(caduceus.special));
  for (const place of places) {
    if (ids[place] !== caduceus.special.mask) expect(specials.has(ids[place])).toBe(false);
  }
  for (const place of row.ids.keys()) if (counted[place] === 0) expect(ids[place]).toBe(row.ids[place]);
});

test("masks depend on seed, epoch and row alone", () => {
  const row = caduceus.encode(LETTERS.slice(0, 200));
  const hide = (seed: number, epoch: number, at: number) =>
    maskedTokenTargets(caduceus, row, at, { share: 0.3, seed, epoch });
  expect(hide(1, 2, 3)).toEqual(hide(1, 2, 3));
  for (const other of [hide(2, 2, 3), hide(1, 3, 3), hide(1, 2, 4)]) {
    expect(other.counted).not.toEqual(hide(1, 2, 3).counted);
  }
});

test("a batch has weights that sum to 1 over the positions in the loss", () => {
  const rows = ["ACGT", "AC"].map((letters) => nextTokenTargets(hyenadna, hyenadna.encode(letters)));
  const { ids, mask, labels, weights } = feedsOf(rows, hyenadna.special.pad!);
  expect(ids.shape).toEqual([2, 5]);
  expect([...(mask.data as Float32Array).subarray(5)]).toEqual([1, 1, 1, 0, 0]);
  expect(ids.data[9]).toBe(hyenadna.special.pad);
  expect(labels.data[5]).toBe(rows[1].labels[0]);
  expect([...(weights.data as Float32Array)]).toEqual([0.25, 0.25, 0.25, 0, 0, 0.25, 0, 0, 0, 0]);
});

test("a batch without positions in the loss has weights 0", () => {
  const { weights } = feedsOf([nextTokenTargets(hyenadna, hyenadna.encode(""))], 4);
  expect([...(weights.data as Float32Array)]).toEqual([0]);
});
