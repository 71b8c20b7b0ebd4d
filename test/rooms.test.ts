import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, test } from "vitest";
import { importsOf, repository, type SourceFile, sourceFiles, withoutComments } from "./source-files.ts";

/** Allowed imports of each part of `src` besides itself: rooms, folders and files; type imports count. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  "dna/sequence": ["base"],
  "dna/genome": ["base", "dna/sequence"],
  "dna/tokenizers": ["base", "dna/sequence"],
  "dna/motifs": ["base", "dna/sequence"],
  "net/arrays": ["base"],
  "net/graph": ["base", "net/arrays"],
  "net/nn": ["base", "net/arrays", "net/graph"],
  "net/runtime": ["base", "net/arrays", "net/graph"],
  "net/train": ["base", "net/arrays", "net/graph", "net/nn", "net/runtime"],
  metrics: ["base"],
  "models/language": ["base", "dna", "net", "metrics"],
  "models/checkpoints": ["base", "dna", "net", "metrics", "models/language"],
  "models/training": ["base", "dna", "net", "metrics", "models/language", "models/checkpoints"],
  "models/queries": ["base", "dna", "net", "metrics", "models/language", "models/model.ts"],
  "models/baselines": ["base", "dna", "net", "metrics", "models/training", "models/model.ts"],
  "models/chrombpnet": ["base", "dna", "net", "metrics", "models/language", "models/model.ts"],
  "models/tracks": [
    "base",
    "dna",
    "net",
    "metrics",
    "models/language",
    "models/model.ts",
    "models/chrombpnet",
  ],
  "models/external": [
    "base",
    "dna",
    "net",
    "metrics",
    "models/language",
    "models/queries",
    "models/model.ts",
  ],
  "models/conformance": ["base", "dna", "net", "metrics", "models/model.ts"],
  "models/profiling": [
    "base",
    "dna",
    "net",
    "metrics",
    "models/language",
    "models/checkpoints",
    "models/model.ts",
  ],
  "models/model.ts": [
    "base",
    "dna",
    "net",
    "metrics",
    "models/language",
    "models/checkpoints",
    "models/training",
  ],
  models: ["base", "dna", "net", "metrics", "models"],
  datasets: ["base", "dna", "net", "metrics", "models"],
  "evaluation/embeddings": ["base", "dna", "net", "models"],
  "evaluation/tasks": ["base", "dna", "net", "metrics", "models", "datasets"],
  "evaluation/settings": [
    "base",
    "dna",
    "net",
    "metrics",
    "models",
    "datasets",
    "evaluation/embeddings",
    "evaluation/tasks",
  ],
  "evaluation/runs": [
    "base",
    "dna",
    "net",
    "metrics",
    "models",
    "datasets",
    "evaluation/embeddings",
    "evaluation/tasks",
    "evaluation/settings",
  ],
  "evaluation/comparison": [
    "base",
    "metrics",
    "models",
    "datasets",
    "evaluation/tasks",
    "evaluation/settings",
    "evaluation/runs",
  ],
  "evaluation/strata": [
    "base",
    "dna",
    "metrics",
    "models",
    "datasets",
    "evaluation/tasks",
    "evaluation/runs",
  ],
  "evaluation/published": ["base", "metrics", "models", "datasets", "evaluation/tasks", "evaluation/runs"],
  "evaluation/suites": [
    "base",
    "dna",
    "metrics",
    "models",
    "datasets",
    "evaluation/tasks",
    "evaluation/runs",
    "evaluation/published",
  ],
  evaluation: ["base", "dna", "net", "metrics", "models", "datasets", "evaluation"],
  report: ["base", "dna", "metrics", "models", "datasets", "evaluation"],
  "report/client": ["report"],
  demo: ["base", "dna", "net", "metrics", "models", "datasets", "evaluation", "report"],
  cli: ["base", "dna", "net", "metrics", "models", "datasets", "evaluation", "report", "demo"],
};

/** Entry points for users: a room's `index.ts` may import anything of its room, the package's any room. */
const isDoor = (path: string) => /^src\/([a-z]+\/)?index\.ts$/.test(path);

/** `src/net/graph/ops.ts` → `net/graph`: the longest path of the table that contains the file. */
function placeOf(path: string): string {
  const folders = path.split("/").slice(1);
  for (let n = folders.length; n > 0; n--) {
    const place = folders.slice(0, n).join("/");
    if (place in MAY_IMPORT) return place;
  }
  throw new Error(`${path} is in no room`);
}

const within = (place: string, allowed: string) => place === allowed || place.startsWith(`${allowed}/`);

const files = sourceFiles("src");
const inside = files.filter(({ path }) => !isDoor(path));

const relativeImports = (file: SourceFile) =>
  file.imports
    .filter(({ specifier }) => specifier.startsWith("."))
    .map(({ specifier, typeOnly }) => ({
      specifier,
      typeOnly,
      target: posix.join(posix.dirname(file.path), specifier),
    }));

const packageImports = (file: SourceFile) =>
  file.imports.map(({ specifier }) => specifier).filter((specifier) => !specifier.startsWith("."));

/** Files that break a rule, as `path → what`. */
const offences = (rule: (file: SourceFile) => readonly string[], among = inside) =>
  among.flatMap((file) => rule(file).map((what) => `${file.path} → ${what}`));

describe("the rooms", () => {
  test("the files are found", () => {
    expect(inside.length).toBeGreaterThan(40);
    expect(inside.flatMap((file) => file.imports).length).toBeGreaterThan(100);
  });

  test("every file is in a room", () => {
    for (const { path } of inside) expect(() => placeOf(path)).not.toThrow();
  });

  test("rooms import only from rooms below them", () => {
    const upward = offences((file) =>
      relativeImports(file)
        .map(({ target }) => target)
        .filter((target) => {
          const [from, to] = [placeOf(file.path), placeOf(target)];
          return from !== to && !MAY_IMPORT[from].some((allowed) => within(to, allowed));
        }),
    );
    expect(upward).toEqual([]);
  });

  test("no file of the package imports an index.ts", () => {
    expect(
      offences((file) =>
        relativeImports(file)
          .map(({ target }) => target)
          .filter(isDoor),
      ),
    ).toEqual([]);
  });

  test("a room's index.ts exports names of that room only", () => {
    const crossing = offences(
      (file) => {
        const room = file.path.split("/")[1];
        if (room === "index.ts") return [];
        return relativeImports(file)
          .map(({ target }) => target)
          .filter((target) => !target.startsWith(`src/${room}/`));
      },
      files.filter(({ path }) => isDoor(path)),
    );
    expect(crossing).toEqual([]);
  });

  test("relative imports have a file extension", () => {
    expect(
      offences(
        (file) =>
          relativeImports(file)
            .map(({ specifier }) => specifier)
            .filter((s) => !s.endsWith(".ts") && !s.endsWith(".css")),
        files,
      ),
    ).toEqual([]);
  });

  test("no import cycles, types included", () => {
    const edges = new Map(
      files.map((file) => [file.path, relativeImports(file).map(({ target }) => target)]),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (path: string, trail: readonly string[]) => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      if (done.has(path) || trail.includes(path)) return;
      for (const target of edges.get(path) ?? []) walk(target, [...trail, path]);
      done.add(path);
    };
    for (const { path } of files) walk(path, []);
    expect(circles).toEqual([]);
  });
});

describe("single places", () => {
  const outside = (room: string) => inside.filter(({ path }) => !within(placeOf(path), room));

  test("only net/runtime imports ONNX Runtime", () => {
    expect(
      offences(
        (file) => packageImports(file).filter((name) => name.startsWith("onnxruntime")),
        outside("net/runtime"),
      ),
    ).toEqual([]);
  });

  test("only base opens, writes, fetches or starts programs", () => {
    const doors = /^(node:)?(fs|fs\/promises|http|https|http2|net|tls|dgram|child_process)$/;
    expect(
      offences((file) => packageImports(file).filter((name) => doors.test(name)), outside("base")),
    ).toEqual([]);
    expect(
      offences(
        (file) => [...file.code.matchAll(/(?<![.\w])fetch\(/g)].map(([text]) => text),
        outside("base"),
      ),
    ).toEqual([]);
  });

  test("only cli prints", () => {
    const printing = /\bconsole\.\w+|\bprocess\.(stdout|stderr)\b/g;
    expect(
      offences((file) => [...file.code.matchAll(printing)].map(([text]) => text), outside("cli")),
    ).toEqual([]);
  });

  test("only cli ends the process or reads its arguments", () => {
    const ending = /\bprocess\.(exit|exitCode|argv)\b/g;
    expect(offences((file) => [...file.code.matchAll(ending)].map(([text]) => text), outside("cli"))).toEqual(
      [],
    );
  });

  test("only report/client uses browser APIs, and no Node module", () => {
    const browser = /(?<![.\w"'])(document|window|localStorage)\.\w+|\bHTML\w*Element\b|\bSVG\w*Element\b/g;
    expect(
      offences((file) => [...file.code.matchAll(browser)].map(([text]) => text), outside("report/client")),
    ).toEqual([]);
    const client = inside.filter(({ path }) => placeOf(path) === "report/client");
    expect(client.length).toBeGreaterThan(0);
    expect(
      offences((file) => packageImports(file).filter((name) => name !== "@observablehq/plot"), client),
    ).toEqual(
      ["@fontsource/arimo/files/arimo-", "linkedom"].flatMap((name) =>
        // The figures as files are drawn without a browser and are no part of the page.
        client
          .filter(({ path }) => path === "src/report/client/figure-files.ts")
          .flatMap((file) =>
            packageImports(file)
              .filter((one) => one.startsWith(name))
              .map((one) => `${file.path} → ${one}`),
          ),
      ),
    );
  });

  test("no Math.random: random numbers come from a seeded generator", () => {
    expect(offences((file) => [...file.code.matchAll(/\bMath\.random\b/g)].map(([text]) => text))).toEqual(
      [],
    );
  });
});

describe("the files", () => {
  test("no name is exported by two files", () => {
    const declared =
      /^export (?:declare )?(?:async )?(?:abstract )?(?:function\*?|const|class|interface|type) (\w+)/gm;
    const places = new Map<string, Set<string>>();
    for (const { path, code } of files) {
      for (const [, name] of code.matchAll(declared)) {
        places.set(name, (places.get(name) ?? new Set()).add(path));
      }
    }
    expect([...places].filter(([, paths]) => paths.size > 1)).toEqual([]);
  });

  test("comments wrap at 110 columns", () => {
    const wide = files
      .filter(({ path }) => path !== "src/net/graph/onnx-schema.ts")
      .flatMap(({ path }) =>
        readFileSync(join(repository, path), "utf8")
          .split("\n")
          .filter((line) => line.length > 110 && /^\s*(\/\/|\/?\*)/.test(line))
          .map((line) => `${path}: ${line.trim()}`),
      );
    expect(wide).toEqual([]);
  });

  test("object literals are not spread into objects", () => {
    const spread = files.filter(({ path }) => /\.\.\.\{ /.test(readFileSync(join(repository, path), "utf8")));
    expect(spread.map(({ path }) => path)).toEqual([]);
  });
});

describe("the checker itself", () => {
  test("finds every form of import", () => {
    const code = `
      import { a } from "./a.ts";
      import type { B } from './b.ts';
      import * as c from "c";
      export { d,
        e } from "./d.ts";
      export type { F } from "./f.ts";
      import "./side-effect.ts";
      const g = await import("./g.ts");
      type H = import("./h.ts").H;
    `;
    expect(importsOf(code).map(({ specifier }) => specifier)).toEqual([
      "./a.ts",
      "./b.ts",
      "c",
      "./d.ts",
      "./f.ts",
      "./side-effect.ts",
      "./g.ts",
      "./h.ts",
    ]);
    expect(importsOf(code).filter(({ typeOnly }) => typeOnly)).toHaveLength(2);
  });

  test("distinguishes comments, code and URLs", () => {
    const code = 'a("https://x"); // console.log\n/* process.exit */ b(`// c`); const r = /\\/\\/[/"]/; d();';
    const bare = withoutComments(code);
    expect(bare).toContain('"https://x"');
    expect(bare).toContain("d();");
    expect(bare).not.toContain("console");
    expect(bare).not.toContain("process");
  });
});
