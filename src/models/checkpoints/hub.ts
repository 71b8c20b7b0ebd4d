import { join } from "node:path";
import { z } from "zod";
import { mismatch } from "../../base/digest.ts";
import { download, HttpError } from "../../base/download.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { fetchWithRetries, type RetryPolicy } from "../../base/http.ts";
import { withoutUndefined } from "../../base/record.ts";
import { linkFile, writeFileAtomic } from "../../base/write-file.ts";
import { cachedRepo, type HubAccess, type HubSource, hubAccess, isCommit } from "./hub-cache.ts";
import { licenceText } from "./licence.ts";

/** Reports of a download. */
export interface DownloadReports {
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
  /** Called once if another process is downloading the same file. */
  readonly onWait?: ((why: string) => void) | undefined;
  /** Called with the licence in a checkpoint's metadata; undefined if they state none. */
  readonly onLicence?: ((checkpoint: string, licence: string | undefined) => void) | undefined;
}

export interface HubRequest extends HubSource, Omit<DownloadReports, "onLicence"> {
  /** Names in the repository; by default the checkpoint's weights, configuration and vocabulary. */
  readonly files?: readonly string[] | undefined;
  /** Expected digests by file name, in addition to those that the hub lists. */
  readonly sha256?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly retries?: RetryPolicy | undefined;
}

export interface HubProgress {
  readonly file: string;
  /** Bytes of all files; files already in the cache count as done. */
  readonly done: number;
  readonly total: number;
}

export interface HubSnapshot {
  readonly folder: string;
  /** The commit: 40 hexadecimal digits. */
  readonly revision: string;
}

/**
 * Downloads files of a repository into the hub cache, which Python's libraries share; existing files are only
 * verified. Every file is verified, by SHA-256 for large files and by Git's digest otherwise. An interrupted
 * download resumes at the next call. Nothing in a repository is executed.
 *
 * Environment: HF_HUB_CACHE, HF_HOME, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE, as for Python's libraries.
 *
 * @throws {InputError} when the repository, revision or a file does not exist or is not accessible, a digest
 *   differs, or the hub cannot be reached
 */
export async function fetchFromHub(request: HubRequest): Promise<HubSnapshot> {
  const { repo, revision = "main", sha256 = {} } = request;
  const cached = cachedRepo(request);
  const alreadyThere = isCommit(revision)
    ? await wholeSnapshot(cached.snapshot(revision), request)
    : undefined;
  if (alreadyThere !== undefined) return { folder: alreadyThere, revision };

  const access = await hubAccess();
  const hub = { repo, access, request };
  const commit = isCommit(revision) ? revision : await commitOf(hub, revision);
  const listed = await listing(hub, commit);
  const wanted =
    request.files === undefined ? checkpointFiles(repo, listed) : named(hub, listed, request.files);
  checkDigests(repo, wanted, sha256);

  const folder = cached.snapshot(commit);
  const total = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  // Small files first, so that errors show before gigabytes are downloaded.
  for (const file of wanted.toSorted((a, b) => a.bytes - b.bytes)) {
    const blob = cached.blob(file.sha256 ?? file.gitBlob);
    await fetchBlob(hub, commit, file, blob, (done) =>
      request.onProgress?.({ file: file.path, done: before + done, total }),
    );
    await linkFile(blob, join(folder, file.path));
    before += file.bytes;
    request.onProgress?.({ file: file.path, done: before, total });
  }
  if (commit !== revision) await writeFileAtomic(cached.ref(revision), commit);
  return { folder, revision: commit };
}

interface Hub {
  readonly repo: string;
  readonly access: HubAccess;
  readonly request: HubRequest;
}

/** The snapshot's folder if all requested files exist with the expected digests. */
async function wholeSnapshot(
  folder: string,
  { files, sha256 = {} }: HubRequest,
): Promise<string | undefined> {
  if (files === undefined) return undefined;
  for (const name of files) {
    const path = join(folder, name);
    if (!isInside(name) || (await kindOfPath(path)) !== "file") return undefined;
    const expected = sha256[name];
    if (expected !== undefined && (await mismatch(path, { sha256: expected })) !== undefined)
      return undefined;
  }
  return folder;
}

async function commitOf(hub: Hub, revision: string): Promise<string> {
  const { modelInfo } = await import("@huggingface/hub");
  const { sha } = await requested(hub, (common) =>
    modelInfo({ name: hub.repo, revision, additionalFields: ["sha"], ...common }),
  );
  if (isCommit(sha)) return sha;
  throw new InputError(`${hub.access.endpoint} returned ${JSON.stringify(sha)} as the commit of ${hub.repo}`);
}

/**
 * Licence of a repository, by the identifier in its metadata ("apache-2.0"); undefined if it states none.
 * @throws {InputError} when the repository or revision does not exist, or the hub cannot be reached
 */
export async function hubLicence(source: HubSource): Promise<string | undefined> {
  const { modelInfo } = await import("@huggingface/hub");
  const { repo, revision = "main" } = source;
  cachedRepo(source);
  const { cardData } = await requested({ repo, access: await hubAccess(), request: source }, (common) =>
    modelInfo({ name: repo, revision, additionalFields: ["cardData"], ...common }),
  );
  return licenceText(cardFields.safeParse(cardData).data?.license);
}

const cardFields = z.looseObject({ license: z.unknown().optional() });

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const entry = z.object({
  type: z.string(),
  path: z.string().refine(isInside, "a path that leaves the folder"),
  size: z.int().nonnegative(),
  oid: hex(40),
  lfs: z.object({ oid: hex(64), size: z.int().nonnegative() }).optional(),
});

/** True for a path that stays inside its folder on any system. */
function isInside(path: string): boolean {
  return path
    .split("/")
    .every((part) => part !== "" && part !== "." && part !== ".." && !/[\\:\0]/.test(part));
}

async function listing(hub: Hub, commit: string): Promise<readonly HubFile[]> {
  const { listFiles } = await import("@huggingface/hub");
  return await requested(hub, async (common) => {
    const files: HubFile[] = [];
    for await (const item of listFiles({ repo: hub.repo, revision: commit, recursive: true, ...common })) {
      if (item.type !== "file") continue;
      const { success, data, error } = entry.safeParse(item);
      if (!success) {
        throw new FormatError(
          { file: `${hub.access.endpoint}/${hub.repo}` },
          `its list of files has an unusable entry ${JSON.stringify(item.path)}: ${error.issues[0].message}`,
        );
      }
      const { path, size, oid, lfs } = data;
      files.push({ path, bytes: lfs?.size ?? size, sha256: lfs?.oid, gitBlob: oid });
    }
    return files;
  });
}

function named({ repo }: Hub, listed: readonly HubFile[], names: readonly string[]): readonly HubFile[] {
  return names.map((name) => {
    const file = listed.find(({ path }) => path === name);
    if (file !== undefined) return file;
    throw new InputError(`${repo} has no file ${JSON.stringify(name)} at this revision`, {
      hint: `it has ${listed
        .map(({ path }) => path)
        .slice(0, 12)
        .join(", ")}`,
    });
  });
}

function checkDigests(repo: string, files: readonly HubFile[], expected: Readonly<Record<string, string>>) {
  for (const { path, sha256 } of files) {
    if (expected[path] !== undefined && sha256 !== undefined && expected[path] !== sha256) {
      throw new InputError(`${repo} has ${path} with the SHA-256 ${sha256}; expected ${expected[path]}`, {
        hint: "is it the right revision? Nothing was downloaded",
      });
    }
  }
}

async function fetchBlob(
  { repo, access, request }: Hub,
  commit: string,
  { path, bytes, sha256, gitBlob }: HubFile,
  blob: string,
  onProgress: (done: number) => void,
): Promise<void> {
  const { signal, retries, onWait } = request;
  const digest = sha256 ?? request.sha256?.[path];
  try {
    await download({
      url: `${access.endpoint}/${repo}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`,
      path: blob,
      expected: {
        bytes,
        ...(digest === undefined ? {} : { sha256: digest }),
        ...(sha256 === undefined ? { gitBlob } : {}),
      },
      headers: access.token === undefined ? {} : { authorization: `Bearer ${access.token}` },
      onProgress,
      ...withoutUndefined({ signal, retries, onWait }),
    });
  } catch (error) {
    throw error instanceof HttpError ? refusal(repo, access, error.status, error) : error;
  }
}

interface Common {
  readonly hubUrl: string;
  readonly accessToken?: string;
  readonly fetch: typeof fetch;
}

/** Calls the hub's API and converts its errors. */
async function requested<T>(
  { repo, access, request }: Hub,
  question: (common: Common) => Promise<T>,
): Promise<T> {
  const { HubApiError } = await import("@huggingface/hub");
  const { endpoint, token } = access;
  const patiently: typeof fetch = (url, init) => {
    // The server gives the address of the next page; the token must not go to another host.
    if (new URL(String(url)).origin !== new URL(endpoint).origin) {
      throw new InputError(`${endpoint} refers to ${String(url)} for the next page of its list`);
    }
    const signal = request.signal === undefined ? {} : { signal: request.signal };
    return fetchWithRetries(String(url), { ...init, ...signal }, request.retries);
  };
  try {
    return await question({
      hubUrl: endpoint,
      fetch: patiently,
      ...(token === undefined ? {} : { accessToken: token }),
    });
  } catch (error) {
    if (error instanceof HubApiError) throw refusal(repo, access, error.statusCode, error);
    throw error;
  }
}

function refusal(repo: string, { endpoint, token }: HubAccess, status: number, cause: unknown): InputError {
  const { host } = new URL(endpoint);
  if (status === 401 || status === 403) {
    const hint =
      token === undefined
        ? `set HF_TOKEN to the token of an account with access; some repositories require accepting terms at ${endpoint}/${repo}`
        : `is the token correct, and are the terms at ${endpoint}/${repo} accepted?`;
    return new InputError(`${host} has no public repository ${repo} (${status})`, {
      hint,
      cause,
    });
  }
  if (status === 404) {
    return new InputError(`${host} has no ${repo} at this revision (404)`, {
      hint: "are the names of repository and revision correct?",
      cause,
    });
  }
  const later = status === 429 || status >= 500 ? { hint: "try again later; the download will resume" } : {};
  return new InputError(`${host} responded with status ${status} for ${repo}`, { ...later, cause });
}

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of the contents, for a file in large-file storage. */
  readonly sha256: string | undefined;
  /** Git blob id of the contents, or of the pointer for a file in large-file storage. */
  readonly gitBlob: string;
}

/** Weights in order of preference: a single file, or an index and its shards. */
const WEIGHTS: readonly RegExp[] = [
  /^model\.safetensors$/,
  /^model(\.safetensors\.index\.json|-\d+-of-\d+\.safetensors)$/,
  /^pytorch_model\.bin$/,
  /^pytorch_model(\.bin\.index\.json|-\d+-of-\d+\.bin)$/,
];

/** Configuration, vocabulary, and the model card with the licence. Python code is never downloaded. */
const CONFIGURATION = /^(README\.md|[^/]+\.(json|txt|model))$/;

/**
 * The files of a checkpoint: weights in one format, configuration and vocabulary.
 * @throws {InputError} when there are no weights in a supported format
 */
function checkpointFiles(repo: string, files: readonly HubFile[]): readonly HubFile[] {
  const format = WEIGHTS.find((format) => files.some(({ path }) => format.test(path)));
  if (format === undefined) {
    throw new InputError(`${repo} has neither model.safetensors nor pytorch_model.bin`, {
      hint: `it has ${files
        .map(({ path }) => path)
        .slice(0, 12)
        .join(", ")}`,
    });
  }
  const isOther = (path: string) => WEIGHTS.some((other) => other !== format && other.test(path));
  return files.filter(({ path }) => format.test(path) || (CONFIGURATION.test(path) && !isOther(path)));
}
