import { homedir } from "node:os";
import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { kindOfPath, userCacheFolder } from "../../base/folder.ts";
import { checkWebAddress } from "../../base/http.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { checkpointPath } from "../../net/arrays/checkpoint.ts";
import { readShardIndex } from "../../net/arrays/shards.ts";

/** A repository on the Hugging Face hub at a revision. */
export interface HubSource {
  /** `organisation/name` */
  readonly repo: string;
  /** A commit (40 hexadecimal digits), a branch or a tag; "main" if absent. */
  readonly revision?: string | undefined;
  /** Folder of the cache, if not the default. */
  readonly cache?: string | undefined;
}

/**
 * Folder of the hub cache, which Python's libraries share: $HF_HUB_CACHE, or `hub` in $HF_HOME, or
 * `huggingface/hub` in the user's cache folder.
 *
 * @see https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
export function hubCacheFolder(): string {
  return (
    withHome(process.env.HF_HUB_CACHE || process.env.HUGGINGFACE_HUB_CACHE || "") || join(hubHome(), "hub")
  );
}

/** $HF_HOME, which also has the login token. */
function hubHome(): string {
  return withHome(process.env.HF_HOME ?? "") || join(userCacheFolder(), "huggingface");
}

const withHome = (path: string) => (path.startsWith("~/") ? join(homedir(), path.slice(2)) : path);

/** Paths in a cached repository. */
export interface CachedRepo {
  /** File contents, named by their digest. */
  blob(digest: string): string;
  /** Folder of links to the blobs, under the files' names. */
  snapshot(commit: string): string;
  /** File with the commit of a branch or tag. */
  ref(revision: string): string;
}

/**
 * Paths of a repository in the cache.
 * @throws {InputError} when the repository's name or the revision is not valid
 */
export function cachedRepo({ repo, revision = "main", cache = hubCacheFolder() }: HubSource): CachedRepo {
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(repo) || /\.\.|--|^\.|\/\./.test(repo)) {
    throw new InputError(`${JSON.stringify(repo)} is not the name of a hub repository`, {
      hint: "write it as on the hub: organisation/name",
    });
  }
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(revision) || /(^|\/)\.+(\/|$)/.test(revision)) {
    throw new InputError(`${JSON.stringify(revision)} is not a revision of ${repo}`, {
      hint: "give a branch, a tag or a commit of 40 hexadecimal digits",
    });
  }
  const folder = join(cache, `models--${repo.replaceAll("/", "--")}`);
  return {
    blob: (digest) => join(folder, "blobs", digest),
    snapshot: (commit) => join(folder, "snapshots", commit),
    ref: (name) => join(folder, "refs", name),
  };
}

export const isCommit = (revision: string) => /^[0-9a-f]{40}$/.test(revision);

/**
 * Folder of a downloaded checkpoint, whether by this program or by Python; undefined without it or without
 * all its weights. Uses no network.
 *
 * @throws {InputError} when the repository's name or the revision is not valid
 */
export async function findInHubCache(source: HubSource): Promise<string | undefined> {
  const { revision = "main" } = source;
  const cached = cachedRepo(source);
  const commit = isCommit(revision) ? revision : (await textIfPresent(cached.ref(revision)))?.trim();
  if (commit === undefined || !isCommit(commit)) return undefined;
  const folder = cached.snapshot(commit);
  if ((await kindOfPath(folder)) !== "folder") return undefined;
  return (await hasWeights(folder)) ? folder : undefined;
}

/** True if the folder has all weights, including every shard. */
async function hasWeights(folder: string): Promise<boolean> {
  try {
    const path = await checkpointPath(folder);
    if (path.endsWith(".index.json")) await readShardIndex(path);
    // A link to a missing blob is not a file.
    return (await kindOfPath(path)) === "file";
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** Address and token of the hub, from the environment variables of Python's libraries. */
export interface HubAccess {
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly token: string | undefined;
}

/** True if $HF_HUB_OFFLINE forbids requests to the hub. */
export const isOffline = (): boolean => /^(1|on|yes|true)$/i.test(process.env.HF_HUB_OFFLINE ?? "");

/**
 * $HF_ENDPOINT, for a mirror, and $HF_TOKEN, or the token file of a login.
 * @throws {InputError} when HF_HUB_OFFLINE is set, or the endpoint or the token is not valid
 */
export async function hubAccess(): Promise<HubAccess> {
  if (isOffline()) {
    throw new InputError("HF_HUB_OFFLINE is set, so nothing is downloaded", {
      hint: "unset it, or give the folder of a checkpoint on this machine",
    });
  }
  const endpoint = (process.env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
  checkWebAddress(endpoint, "HF_ENDPOINT");
  return { endpoint, token: await token() };
}

async function token(): Promise<string | undefined> {
  const given = process.env.HF_TOKEN || process.env.HUGGING_FACE_HUB_TOKEN;
  const file = process.env.HF_TOKEN_PATH || join(hubHome(), "token");
  const found = (given || (await textIfPresent(file)) || "").trim();
  if (found === "") return undefined;
  if (/^hf_[\w-]+$/.test(found)) return found;
  throw new InputError(`the token ${given ? "in HF_TOKEN" : `in ${file}`} does not begin with hf_`, {
    hint: "create one at https://huggingface.co/settings/tokens",
  });
}
