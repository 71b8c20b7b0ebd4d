import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { filesBelow } from "../../../src/base/folder.ts";
import { readResults, sealed } from "../../../src/evaluation/runs/stored-results.ts";
import { asKind } from "../../../src/evaluation/tasks/prediction.ts";
import { writeLeaderboard } from "../../../src/report/submissions/leaderboard-folder.ts";
import { runCommand } from "../../cli/collecting-terminal.ts";
import { dinucleotideModel, elementInputs, smallRun } from "../export/small-run.ts";
import { forgeRows } from "./rewritten-shard.ts";

let folder: string;
let runs: readonly string[];
const at = (...parts: readonly string[]) => join(folder, ...parts);

const HOSTILE = '../<img src=x onerror="alert(1)">|`model`';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-leaderboard-"));
  const inputs = await elementInputs(folder);
  runs = [
    await smallRun(at("a"), inputs, { models: [dinucleotideModel("model a", 1.25)] }),
    await smallRun(at("b"), inputs, { models: [dinucleotideModel(HOSTILE, 2.5)] }),
  ];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Text of every file of a folder. */
async function texts(place: string): Promise<Record<string, string>> {
  const files = await filesBelow(place);
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, await readFile(join(place, file), "utf8")])),
  );
}

describe("writeLeaderboard", () => {
  test("writes one entry per cell, and the same bytes in any order and on repetition", async () => {
    await writeLeaderboard(at("all"), runs, { withScores: true });
    const once = await texts(at("all"));
    expect(Object.keys(once).filter((file) => file.startsWith("entries/"))).toHaveLength(2);
    expect(await writeLeaderboard(at("all"), runs)).toEqual({ entries: 2, added: [] });
    expect(await texts(at("all"))).toEqual(once);
    await writeLeaderboard(at("turned"), [runs[1]], { withScores: true });
    await writeLeaderboard(at("turned"), [runs[0]], { withScores: true });
    expect(await texts(at("turned"))).toEqual(once);
  });

  test("entries have sorted keys, the whole result and no host", async () => {
    await writeLeaderboard(at("keys"), [runs[0]]);
    const [name] = await readdir(at("keys", "entries"));
    const entry = JSON.parse(await readFile(at("keys", "entries", name), "utf8"));
    const [{ result }] = await readResults(runs[0]);
    expect(entry.result).toEqual(sealed(result));
    const sorted = (value: unknown): boolean =>
      typeof value !== "object" ||
      value === null ||
      ((Array.isArray(value) || Object.keys(value).every((key, i, keys) => i === 0 || keys[i - 1] < key)) &&
        Object.values(value).every(sorted));
    expect(sorted(entry)).toBe(true);
    expect(JSON.stringify(entry)).not.toContain('"host"');
  });

  test("escapes names in the page and the README, and allows nothing but its style", async () => {
    await writeLeaderboard(at("hostile"), runs, { title: "<b>title</b> & *more*" });
    const page = await readFile(at("hostile", "index.html"), "utf8");
    const readme = await readFile(at("hostile", "README.md"), "utf8");
    expect(page).not.toMatch(/<img|<b>title/);
    // Markdown shows a character behind a backslash as text.
    expect(readme).not.toMatch(/(?<!\\)</);
    expect(page).toContain("&lt;img src=x");
    expect(readme).toContain("\\<img");
    expect(page).toMatch(
      /Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-|Content-Security-Policy" content="default-src 'none'; style-src 'sha256-/,
    );
    expect(page).not.toMatch(/<script|style=|https?:/);
    // Names of files have no special characters, and stay in their folder.
    for (const file of await filesBelow(at("hostile"))) expect(file).toMatch(/^[\w./-]+$/);
    expect((await readdir(at("hostile"))).sort()).toEqual([
      "README.md",
      "entries",
      "index.html",
      "leaderboard.json",
    ]);
  });

  test("lists the best model first, with its interval and digests", async () => {
    await writeLeaderboard(at("table"), runs);
    const readme = await readFile(at("table", "README.md"), "utf8");
    const values = [...readme.matchAll(/^\| .* \| corrected \| (0\.\d+) \\\[/gm)].map(([, value]) =>
      Number(value),
    );
    expect(values).toHaveLength(2);
    expect(values[0]).toBeGreaterThanOrEqual(values[1]);
    const entries = Object.entries(await texts(at("table", "entries")));
    for (const [, text] of entries) expect(readme).toContain(JSON.parse(text).result.sha256.slice(0, 16));
  });

  test("refuses a result that was changed, and another result of the same cell", async () => {
    await writeLeaderboard(at("refuses"), [runs[0]]);
    const [{ folder: cell, result }] = await readResults(runs[0]);
    await cp(cell, at("changed"), { recursive: true });
    const file = at("changed", "result.json");
    const { sha256 } = JSON.parse(await readFile(file, "utf8"));
    const other = { ...result, notes: ["other"] };
    await writeFile(file, JSON.stringify({ ...other, sha256 }));
    await expect(writeLeaderboard(at("refuses"), [at("changed")])).rejects.toThrow(
      "was changed after it was written",
    );
    await writeFile(file, JSON.stringify(sealed(other)));
    await expect(writeLeaderboard(at("refuses"), [at("changed")])).rejects.toThrow(
      "another result of regulatory-elements × model a",
    );
    const { added } = await writeLeaderboard(at("refuses"), [at("changed")], { replace: true });
    expect(added).toHaveLength(1);
  });

  test("refuses an edited entry and a folder with other files", async () => {
    await writeLeaderboard(at("edited"), [runs[0]]);
    const [name] = await readdir(at("edited", "entries"));
    const file = at("edited", "entries", name);
    await writeFile(file, (await readFile(file, "utf8")).replace(/"value": 0\.\d+/, '"value": 0.99'));
    await expect(writeLeaderboard(at("edited"), [])).rejects.toThrow("this entry was changed");
    for (const title of [{}, { title: "Mine" }]) {
      await expect(writeLeaderboard(folder, [runs[0]], title)).rejects.toThrow(
        "other files and no leaderboard",
      );
    }
  });
});

describe("dart-eval leaderboard", () => {
  test("adds runs; verify accepts the entries, and names forged scores", async () => {
    const added = await runCommand([
      "leaderboard",
      at("board"),
      ...runs,
      "--with-scores",
      "--title",
      "Models",
    ]);
    expect(added.exitCode).toBe(0);
    expect(added.printed).toBe("2 entries, 2 new or changed");
    expect((await runCommand(["leaderboard", at("board")])).printed).toBe("2 entries, 0 new or changed");
    expect(await readFile(at("board", "index.html"), "utf8")).toContain("<title>Models</title>");
    const verified = await runCommand(["verify", at("board")]);
    expect(verified.said).toContain("2 results verified");
    expect(verified.exitCode).toBe(0);
    const [scores] = await readdir(at("board", "scores"));
    await forgeRows(at("board", "scores", scores), (prediction) => {
      const { values, ...rest } = asKind("likelihood", prediction);
      return { ...rest, values: rest.row === 3 ? [-1, -2] : values };
    });
    const forged = await runCommand(["verify", at("board")]);
    expect(forged.printed).toMatch(/the scores have the SHA-256 \w{64}; the entry has \w{64}/);
    expect(forged.said).toContain("1 of 2 results not verified");
    expect(forged.exitCode).toBe(1);
  });

  test("verify asks for the scores of an entry without them", async () => {
    await writeLeaderboard(at("bare"), [runs[0]]);
    const { exitCode, said } = await runCommand(["verify", at("bare")]);
    expect(said).toMatch(/the scores of this result are missing\n.*--with-scores/);
    expect(exitCode).toBe(2);
  });
});
