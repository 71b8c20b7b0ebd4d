import { InputError } from "../../base/errors.ts";
import { hubCheckpoint } from "../language/hub-checkpoints.ts";
import { type DownloadReports, fetchFromHub, hubLicence } from "./hub.ts";
import { findInHubCache, isCommit, isOffline } from "./hub-cache.ts";
import { folderLicence } from "./licence.ts";

/** A checkpoint of a hub repository on this machine. */
export interface HubModel {
  readonly folder: string;
  readonly repo: string;
  /** The commit that the revision means: 40 hexadecimal digits. */
  readonly revision: string;
}

/** True for `hf:ORG/NAME` and `hf:ORG/NAME@REVISION`. */
export const HUB_FORM = /^hf:/;

/**
 * The repository and revision of `hf:ORG/NAME[@REVISION]`; a branch, a tag or a commit, by default "main".
 * @throws {InputError} when the text has another form
 */
export function hubReference(spec: string): { readonly repo: string; readonly revision: string } {
  const [, repo, revision = "main"] = /^hf:([^@]+)(?:@(.+))?$/.exec(spec) ?? [];
  if (repo !== undefined) return { repo, revision };
  throw new InputError(`${JSON.stringify(spec)} is not a hub repository`, {
    hint: "write hf:ORGANISATION/NAME or hf:ORGANISATION/NAME@REVISION",
  });
}

/**
 * Opens a hub repository. A commit that is in the cache is opened without network access. Any other revision
 * is resolved to a commit, and missing files are downloaded and verified by the hub's digests. With
 * HF_HUB_OFFLINE only the cache is used.
 *
 * @throws {InputError} when the text has another form, the repository is known to have another architecture,
 *   the hub or the repository cannot be reached, a digest differs, or HF_HUB_OFFLINE is set and the revision
 *   is not in the cache
 */
export async function openHubModel(
  spec: string,
  { onLicence, ...reports }: DownloadReports & { readonly signal?: AbortSignal | undefined } = {},
): Promise<HubModel> {
  const { repo, revision } = hubReference(spec);
  checkComputed(repo);
  const offline = isOffline();
  if (offline || isCommit(revision)) {
    const found = await findInHubCache({ repo, revision });
    if (found !== undefined) {
      onLicence?.(repo, await folderLicence(found));
      return { folder: found, repo, revision: commitOf(found) };
    }
  }
  if (offline) {
    throw new InputError(`${repo} at ${revision} is not in the hub cache, and HF_HUB_OFFLINE is set`, {
      hint: `unset it, or give the folder of a checkpoint on this machine`,
    });
  }
  const snapshot = await fetchFromHub({ repo, revision, ...reports });
  onLicence?.(repo, await hubLicence({ repo, revision: snapshot.revision }));
  return { folder: snapshot.folder, repo, revision: snapshot.revision };
}

/**
 * Rejects repositories that are known to have another architecture, before their weights are downloaded.
 * @throws {InputError} with the adapter that evaluates the repository
 */
function checkComputed(repo: string): void {
  const known = hubCheckpoint(repo);
  if (known === undefined || known.service.by === "family") return;
  const { service, architecture } = known;
  const command = (program: string) => `--model ${JSON.stringify(`stdio:python3 ${program}`)}`;
  throw new InputError(`${repo} has the architecture ${architecture}, which only its Python code computes`, {
    hint:
      service.by === "bridge"
        ? `use ${command(`-m dart_eval_adapter ${repo}`)}, see docs/adapters.md`
        : service.needs.endsWith(".py")
          ? `use ${command(`${service.needs} …`)}, see docs/adapters.md`
          : `use ${command("adapter.py")} with an adapter that runs ${service.needs}, see docs/adapters.md`,
  });
}

/** The commit of a snapshot, which is the name of its folder. */
const commitOf = (folder: string) => folder.replace(/.*[\\/]/s, "");
