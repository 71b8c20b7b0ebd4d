import { describe, expect, test } from "vitest";
import { chromosomeLengths, TELOMERE } from "../../../src/demo/synthetic/background.ts";
import { growGenome } from "../../../src/demo/synthetic/genome.ts";
import { ELEMENT_KINDS } from "../../../src/demo/synthetic/grammar.ts";
import { findSites, motifNamed } from "../../../src/demo/synthetic/motifs.ts";

const genome = growGenome(7, 0.5);
const elements = genome.flatMap((chromosome) =>
  chromosome.elements.map((element) => ({ chromosome, element })),
);

describe("elements", () => {
  test("are sorted and disjoint, with a window of 2,114 bases without N", () => {
    expect(genome.map(({ name, codes }) => [name, codes.length])).toEqual(Array.from(chromosomeLengths(0.5)));
    for (const { codes, elements: planted } of genome) {
      planted.forEach(({ start, end, centre }, i) => {
        expect(end - start).toBeGreaterThanOrEqual(150);
        expect(end - start).toBeLessThanOrEqual(350);
        expect(start - (planted[i - 1]?.end ?? 0)).toBeGreaterThanOrEqual(900);
        expect(codes.subarray(centre - 1057, centre + 1057).every((code) => code < 4)).toBe(true);
        expect(centre).toBeGreaterThanOrEqual(start);
        expect(centre).toBeLessThan(end);
      });
    }
  });

  test("every chromosome ends in N and has elements, none of them masked", () => {
    for (const { codes, masked, elements: planted } of genome) {
      expect(codes.subarray(0, TELOMERE).every((code) => code === 4)).toBe(true);
      expect(codes.subarray(-TELOMERE).every((code) => code === 4)).toBe(true);
      expect(planted.length).toBeGreaterThan(0);
      for (const { start, end } of planted) expect(masked.subarray(start, end).includes(1)).toBe(false);
    }
  });

  test("contain the sites of their kind with the grammar's spacing and orientation", () => {
    let pairs = 0;
    let scores = 0;
    let expected = 0;
    let sites = 0;
    for (const { chromosome, element } of elements) {
      const kind = ELEMENT_KINDS.find(({ name }) => name === element.kind)!;
      const names = element.sites.map(({ motif }) => motif);
      expect(names).toEqual(expect.arrayContaining([...kind.always]));
      const fromPair = kind.pair === undefined ? 0 : 2;
      expect(names.length - fromPair - kind.always.length).toBeGreaterThanOrEqual(kind.extra[0]);
      expect(names.length - fromPair - kind.always.length).toBeLessThanOrEqual(kind.extra[1]);
      element.sites.forEach((site, i) => {
        expect(site.start).toBeGreaterThanOrEqual(Math.max(element.start, element.sites[i - 1]?.end ?? 0));
        expect(site.end).toBeLessThanOrEqual(element.end);
        const { width, forward, reverse, probabilities, bestScore } = motifNamed(site.motif);
        expect(site.end - site.start).toBe(width);
        const table = site.strand === "+" ? forward : reverse;
        for (let k = 0; k < width; k++) scores += table[4 * k + chromosome.codes[site.start + k]] / bestScore;
        expected += probabilities.reduce((sum, p, i) => sum + p * forward[i], 0) / bestScore;
        sites++;
      });
      if (kind.pair === undefined) continue;
      const { first, second, spacing, orientation } = kind.pair;
      const fits = element.sites.some((left, i) => {
        const right = element.sites[i + 1];
        if (right === undefined) return false;
        const gap = right.start - left.end;
        const named = [left.motif, right.motif].sort().join() === [first, second].sort().join();
        const turned = orientation === "any" || (orientation === "same") === (left.strand === right.strand);
        return named && turned && gap >= spacing[0] && gap <= spacing[1];
      });
      expect(fits).toBe(true);
      pairs++;
    }
    expect(pairs).toBeGreaterThan(300);
    // Sites are drawn from their motifs, so some have mismatches: the mean score is the expectation.
    expect(Math.abs(scores / sites - expected / sites)).toBeLessThan(0.01);
  });

  test("kinds have their shares, and sites are rare outside elements", () => {
    for (const { name, share } of ELEMENT_KINDS) {
      const n = elements.filter(({ element }) => element.kind === name).length;
      expect(Math.abs(n - share * elements.length)).toBeLessThan(4.5 * Math.sqrt(share * elements.length));
    }
    const perKilobase = (codes: Uint8Array, start: number, end: number) =>
      (1000 * findSites(codes, start, end, 0.5).length) / (end - start);
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    const looked = elements.filter((_, i) => i % 4 === 0);
    const inside = looked.map(({ chromosome, element }) =>
      perKilobase(chromosome.codes, element.start, element.end),
    );
    const outside = looked.map(({ chromosome, element }) =>
      perKilobase(chromosome.codes, element.end + 200, element.end + 600),
    );
    expect(mean(inside)).toBeGreaterThan(6 * mean(outside));
  });

  test("the genome depends on the seed only", () => {
    const again = growGenome(7, 0.5);
    expect(again.every(({ codes }, i) => Buffer.compare(codes, genome[i].codes) === 0)).toBe(true);
    expect(growGenome(8, 0.5).some(({ codes }, i) => Buffer.compare(codes, genome[i].codes) === 0)).toBe(
      false,
    );
  });
});
