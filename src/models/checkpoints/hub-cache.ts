import { homedir } from "node:os";
import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { kindOfPath, userCacheFolder } from "../../base/folder.ts";
import { expectWebAddress } from "../../base/http.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { checkpointPath } from "../../net/arrays/checkpoint.ts";
import { readShardIndex } from "../../net/arrays/shards.ts";

/** A repository of models on the Hugging Face hub, at a revision. */
export interface HubSource {
  /** `organisation/name` */
  readonly repo: string;
  /** A commit (40 hexadecimal digits), a branch or a tag; "main" where absent. */
  readonly revision?: string | undefined;
  /** The cache's folder, where it is not the usual one. */
  readonly cache?: string | undefined;
}

/**
 * The folder of the hub's cache, which Python's libraries share: $HF_HUB_CACHE, or `hub` in $HF_HOME, or
 * `huggingface/hub` in the user's cache folder.
 *
 * @see https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
export function hubCacheFolder(): string {
  return (
    withHome(process.env.HF_HUB_CACHE || process.env.HUGGINGFACE_HUB_CACHE || "") || join(hubHome(), "hub")
  );
}

/** $HF_HOME, where also the login token lies. */
function hubHome(): string {
  return withHome(process.env.HF_HOME ?? "") || join(userCacheFolder(), "huggingface");
}

const withHome = (path: string) => (path.startsWith("~/") ? join(homedir(), path.slice(2)) : path);

/** Where the parts of a cached repository lie. */
export interface CachedRepo {
  /** Contents of files, named by their digest. */
  blob(digest: string): string;
  /** Links into the blobs, under the files' own names. */
  snapshot(commit: string): string;
  /** A file that holds the commit a branch or tag stood for. */
  ref(revision: string): string;
}

/** @throws {InputError} when the name or the revision cannot be one on the hub */
export function cachedRepo({ repo, revision = "main", cache = hubCacheFolder() }: HubSource): CachedRepo {
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(repo) || /\.\.|--|^\.|\/\./.test(repo)) {
    throw new InputError(`${JSON.stringify(repo)} is not the name of a repository`, {
      hint: "write it as on the hub: organisation/name",
    });
  }
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(revision) || /(^|\/)\.+(\/|$)/.test(revision)) {
    throw new InputError(`${JSON.stringify(revision)} is not a revision of ${repo}`, {
      hint: "give a branch, a tag, or a commit of 40 hexadecimal digits",
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
 * The folder of a checkpoint that was downloaded before, by this program or by Python; undefined when it was not, or
 * when its weights are not there yet. Uses no network.
 *
 * @throws {InputError} when the name or the revision cannot be one on the hub
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

/** Whether the weights are there that opening the folder would take, all their shards among them. */
async function hasWeights(folder: string): Promise<boolean> {
  try {
    const path = await checkpointPath(folder);
    if (path.endsWith(".index.json")) await readShardIndex(path);
    // A link whose blob is gone does not count.
    return (await kindOfPath(path)) === "file";
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** How to reach the hub, from the environment variables that Python's libraries use as well. */
export interface HubAccess {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly token: string | undefined;
}

/**
 * $HF_ENDPOINT, for a mirror; and $HF_TOKEN, or the token that a login left in a file.
 * @throws {InputError} when HF_HUB_OFFLINE forbids the network, or the endpoint or the token cannot be one
 */
export async function hubAccess(): Promise<HubAccess> {
  if (/^(1|on|yes|true)$/i.test(process.env.HF_HUB_OFFLINE ?? "")) {
    throw new InputError("HF_HUB_OFFLINE is set, so nothing is downloaded", {
      hint: "unset it, or give the folder of a checkpoint that is on this machine",
    });
  }
  const endpoint = (process.env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
  expectWebAddress(endpoint, "HF_ENDPOINT");
  return { endpoint, token: await token() };
}

async function token(): Promise<string | undefined> {
  const given = process.env.HF_TOKEN || process.env.HUGGING_FACE_HUB_TOKEN;
  const file = process.env.HF_TOKEN_PATH || join(hubHome(), "token");
  const found = (given || (await textIfPresent(file)) || "").trim();
  if (found === "") return undefined;
  if (/^hf_[\w-]+$/.test(found)) return found;
  throw new InputError(`the token ${given ? "in HF_TOKEN" : `in ${file}`} does not begin with hf_`, {
    hint: "make one at https://huggingface.co/settings/tokens",
  });
}
