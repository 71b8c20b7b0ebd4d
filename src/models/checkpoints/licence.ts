import { join } from "node:path";
import { textIfPresent } from "../../base/read-file.ts";

/** Identifier of a licence, as in the hub's metadata: "apache-2.0". */
const IDENTIFIER = /^[\w .+-]{1,60}$/;

/** Licences of a repository's metadata as one text; undefined unless all of them are identifiers. */
export function licenceText(stated: unknown): string | undefined {
  const names = [stated].flat();
  const isKnown =
    names.length > 0 && names.every((name) => typeof name === "string" && IDENTIFIER.test(name));
  return isKnown ? names.join(", ") : undefined;
}

/**
 * Licence of a checkpoint folder: `license` in the front matter of its README.md, the hub's model card.
 * Undefined where there is no such file or it states none.
 */
export async function folderLicence(folder: string): Promise<string | undefined> {
  const text = await textIfPresent(join(folder, "README.md"));
  const [, frontMatter] = /^\uFEFF?---\r?\n(.*?)^---\s*$/ms.exec(text ?? "") ?? [];
  const [, value, items] =
    /^license:[ \t]*([^\r\n]*)((?:\r?\n[ \t]*-[ \t]+[^\r\n]*)*)/m.exec(frontMatter ?? "") ?? [];
  if (value === undefined) return undefined;
  const listed = [...(items ?? "").matchAll(/-[ \t]+([^\r\n]*)/g)].map(([, item]) => item);
  const names = value === "" ? listed : value.replace(/^\[(.*)\]$/, "$1").split(",");
  return licenceText(names.map((name) => name.trim().replace(/^(["'])(.*)\1$/, "$2")));
}
