import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { supports } from "../../../src/models/model.ts";
import { openModel } from "../../../src/models/open-model.ts";
import { repository } from "../../source-files.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const python = spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 8))"]).status === 0;

/** Stand-in for Enformer: the number of G in each of the central 896 of 1,536 bins of 128 bases. */
const STAND_IN = `
import sys
sys.path.insert(0, ${JSON.stringify(join(repository, "examples"))})
import enformer

def predict(letters):
    assert len(letters) == 393216, len(letters)
    margin = (len(letters) - 896 * 128) // 2
    counts = [letters[margin + 128 * i : margin + 128 * (i + 1)].count("G") for i in range(896)]
    return [[count if track == 121 else -1 for track in range(130)] for count in counts]

enformer.main(sys.argv[1:], lambda: predict)
`;

test.skipIf(!python)(
  "Enformer's adapter extends a window to its input and sums the central 1,024 bases [needs python3, at least 3.8]",
  async () => {
    const folder = temporaryFolder();
    const rng = new Pcg64(1);
    const genome = Array.from({ length: 200_000 }, () => "ACGT"[rng.nextUint32() >>> 30]).join("");
    writeFileSync(join(folder, "genome.fa"), `>chr1\n${genome.replaceAll(/(.{60})/g, "$1\n")}\n`);
    const starts = [0, 5000, 150_001];
    const rows = starts.map((start) => `chr1\t${start}\t${start + 2114}\n`);
    writeFileSync(join(folder, "peaks.bed"), `chr\tinput_start\tinput_end\n${rows.join("")}`);
    writeFileSync(join(folder, "adapter.py"), STAND_IN);
    const words = [join(folder, "adapter.py"), "--genome", join(folder, "genome.fa"), "--cell-line", "K562"];
    const model = await openModel(`stdio:python3 ${words.join(" ")} ${join(folder, "peaks.bed")}`, {});
    onTestFinished(async () => void (await model.close()));
    expect(model.name).toBe("enformer");
    expect(supports(model, "logLikelihood")).toBe(false);
    const windows = starts.map((start) => genome.slice(start, start + 2114));
    const expected = starts.map((start) => {
      const middle = genome.slice(start + 1057 - 512, start + 1057 + 512);
      return Math.log1p(middle.split("G").length - 1);
    });
    const activity = Array.from(await model.predictActivity(windows, { protocol: "corrected" }));
    activity.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 12);
    });
    await expect(model.predictActivity(["ACGT"], { protocol: "corrected" })).rejects.toThrow(/KeyError/);
  },
);
