import { expect, test } from "vitest";
import { NearestProfiles } from "../../../src/models/chrombpnet/regions.ts";

const windows = [
  { region: { chrom: "chr1", centre: 4 }, profile: [1, 1, 1, 1, 1, 1] },
  { region: { chrom: "chr1", centre: 8 }, profile: [2, 2, 2, 2, 2, 2] },
  { region: { chrom: "chr1", centre: 1 }, profile: [3, 3, 3, 3, 3, 3] },
  { region: { chrom: "chr2", centre: 4 }, profile: [4, 5, 6, 7, 8, 9] },
];

test("a base takes the prediction of the nearest centre in any order; windows are cut at the ends of the chromosome", () => {
  for (const order of [windows, windows.toReversed()]) {
    const profiles = new NearestProfiles(
      new Map([
        ["chr1", 10],
        ["chr2", 5],
        ["chr3", 9],
      ]),
    );
    for (const { region, profile } of order) profiles.add(region, profile);
    // Windows at −2 to 4, 1 to 7, 5 to 11; base 6 is as near to 4 as to 8.
    expect([...profiles.signal().get("chr1")!]).toEqual([3, 3, 3, 1, 1, 1, 2, 2, 2, 2]);
    expect([...profiles.signal().get("chr2")!]).toEqual([0, 4, 5, 6, 7]);
    expect([...profiles.signal().keys()].sort()).toEqual(["chr1", "chr2"]);
  }
});
