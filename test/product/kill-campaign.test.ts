import { expect, test } from "vitest";
import { killCampaign } from "../../scripts/kill/campaign.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("builds, a run, merge and report resume bit-identically after a SIGKILL", async () => {
  const folder = temporaryFolder();
  const reports = await killCampaign({ folder, kills: 5, seed: 2, only: ({ cheap }) => cheap === true });
  expect(reports.map(({ part, kills, fault }) => ({ part, kills, fault }))).toEqual(
    ["build regulatory-elements", "build motif-footprinting", "run zero-shot", "merge", "report"].map(
      (part) => ({
        part,
        kills: 1,
        fault: undefined,
      }),
    ),
  );
  for (const { runsCompared, filesCompared } of reports) {
    expect(runsCompared).toBe(1);
    expect(filesCompared).toBeGreaterThan(0);
  }
});
