import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("..", import.meta.url));

/** One import, export-from, dynamic import or module augmentation, as written. */
export interface Import {
  readonly specifier: string;
  /**
   * True if removed by compilation: `import type …`, `export type … from`, or a type position
   * `import("…").X`.
   */
  readonly typeOnly: boolean;
}

export interface SourceFile {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  /** The code without comments; string contents stay. */
  readonly code: string;
  readonly imports: readonly Import[];
}

const STATEMENT = /^\s*(import|export)\s(type\s)?[^;"'`]*?from\s*["']([^"']+)["']/gms;
const BARE = /^\s*import\s*["']([^"']+)["']/gm;
const DYNAMIC = /\bimport\(\s*["'`]([^"'`]+)["'`]\s*\)/g;

/** Every TypeScript file below `folder`, in path order. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => [folder, ...name.split(sep)].join("/"))
    .sort()
    .map((path) => {
      const code = withoutComments(readFileSync(join(repository, path), "utf8"));
      return { path, code, imports: importsOf(code) };
    });
}

export function importsOf(code: string): Import[] {
  return [
    ...[...code.matchAll(STATEMENT)].map((m) => ({ specifier: m[3], typeOnly: m[2] !== undefined })),
    ...[...code.matchAll(BARE)].map((m) => ({ specifier: m[1], typeOnly: false })),
    ...[...code.matchAll(DYNAMIC)].map((m) => ({ specifier: m[1], typeOnly: false })),
  ];
}

/**
 * Blanks `//` and block comments; quotes, templates and regular expressions with `//` inside are left alone.
 */
export function withoutComments(code: string): string {
  const token =
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?<=[=(,:!&|?{};]\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/[a-z]*/g;
  return code.replace(token, (text) => (text.startsWith("//") || text.startsWith("/*") ? " " : text));
}
