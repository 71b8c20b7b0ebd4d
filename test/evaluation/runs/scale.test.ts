import { beforeEach, expect, test } from "vitest";
import { runPart, SCALE_PARTS } from "../../../scripts/scale/parts.ts";
import { program } from "../../compiled.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder();
});

const [, ...main] = program("src/cli/main.ts");

test.each(SCALE_PARTS)(
  "$name: the short form of the scale run",
  async (part) => {
    const outcome = await runPart(part, part.short, { program: main, root });
    expect(outcome).toMatchObject({ wrong: [], digest: part.short.digest });
    // Plans and results do not grow with the rows; rows and scores together stay below twice the scores.
    expect(outcome.rowBytes).toBeLessThan(outcome.scores);
  },
  120_000,
);
