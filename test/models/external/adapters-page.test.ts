import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CHECKS } from "../../../src/models/conformance/conform.ts";
import { parseEmbeddings } from "../../../src/models/external/adapter-protocol.ts";
import { readOnnxCard } from "../../../src/models/external/onnx-card.ts";
import { repository } from "../../source-files.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const page = readFileSync(join(repository, "docs", "adapters.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(([, text]) => text);

describe("docs/adapters.md", () => {
  test("lists every check with its fault", () => {
    const lines = [...page.matchAll(/^\| `([\w-]+)` \| .* \| (.*) \|$/gm)].map(([, name, fault]) => [
      name,
      fault,
    ]);
    expect(lines.slice(-CHECKS.length)).toEqual(CHECKS.map(({ name, fault }) => [name, fault]));
  });

  test("the ONNX card and the embeddings parse", async () => {
    const [embeddings, card] = blocks("json");
    const model = join(temporaryFolder(), "model.onnx");
    writeFileSync(model, "");
    writeFileSync(model.replace(".onnx", ".card.json"), card);
    expect(await readOnnxCard(model)).toMatchObject({ kind: "masked", maxTokens: 512 });
    const refused = (why: string) => expect.fail(why);
    const [parsed] = parseEmbeddings({ body: JSON.parse(embeddings), refused }, ["ACGT"]);
    expect(parsed).toMatchObject({ tokens: 3, width: 2 });
  });

  const python = spawnSync("python3", ["--version"]).status === 0;

  test.skipIf(!python)("the example session matches examples/adapter.py [needs python3]", () => {
    const [session] = blocks("text");
    const lines = session.trim().split("\n");
    const questions = lines.filter((line) => line.startsWith("→ ")).map((line) => line.slice(2));
    const answers = lines.filter((line) => line.startsWith("← ")).map((line) => JSON.parse(line.slice(2)));
    expect(questions).toHaveLength(3);
    const { stdout } = spawnSync("python3", [join(repository, "examples", "adapter.py")], {
      input: questions.map((line) => `${line}\n`).join(""),
      encoding: "utf8",
    });
    const given = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    // The last digit of a logarithm depends on the machine.
    const near = (answer: { values?: number[] }) =>
      answer.values ? { ...answer, values: answer.values.map((value) => expect.closeTo(value, 12)) } : answer;
    expect(given).toEqual(answers.map(near));
  });
});
