import { sha256Hex } from "../base/digest.ts";
import type { LanguageModelCard, PublicCheckpoint } from "./card.ts";

/** `LongSafari/hyenadna-large-1m-seqlen-hf@0a629abf…`: a checkpoint by repository and revision, as results name it. */
export const checkpointName = ({ repo, revision }: Pick<PublicCheckpoint, "repo" | "revision">) =>
  `${repo}@${revision}`;

/**
 * The public checkpoint of a family whose weights a model has, by their digest; undefined for other weights, and for
 * checkpoints whose digests are not published.
 *
 * @param identity  of the model, which holds the digest of its weights
 */
export function checkpointWithWeights(
  { checkpoints }: Pick<LanguageModelCard, "checkpoints">,
  identity: string,
): PublicCheckpoint | undefined {
  return checkpoints.find(({ sha256 = {} }) =>
    weightDigests(sha256).some((digest) => identity.includes(digest)),
  );
}

/** The digests that a checkpoint of these files may report: a single file's own, and of shards that of their list. */
function weightDigests(sha256: Readonly<Record<string, string>>): readonly string[] {
  const files = Object.entries(sha256).sort(([a], [b]) => (a < b ? -1 : 1));
  const [shards, whole] = [true, false].map((wanted) =>
    files.filter(([name]) => /-\d+-of-\d+\.\w+$/.test(name) === wanted),
  );
  const list = shards!.map(([name, digest]) => `${digest}  ${name}\n`).join("");
  return [...whole!.map(([, digest]) => digest), ...(list === "" ? [] : [sha256Hex(list)])];
}
