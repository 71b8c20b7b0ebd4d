import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "./errors.ts";
import { checkWebAddress, getJson, type RetryPolicy } from "./http.ts";
import { tryParseJson } from "./json.ts";
import { textIfPresent } from "./read-file.ts";

// Package indexes of Python, as pip reads them, without Python.

const PYPI = "https://pypi.org/simple";
const MAX_PAGE_BYTES = 64 * 2 ** 20;

/** Address of an index, and the setting that it comes from. */
export interface PythonIndex {
  readonly url: string;
  readonly setting: string;
}

/**
 * The user's index of Python packages: `PIP_INDEX_URL`, else `index-url` of pip's configuration files, in
 * pip's order, else PyPI.
 *
 * @see https://pip.pypa.io/en/stable/topics/configuration/
 */
export async function pipIndex(env = process.env, home = homedir()): Promise<PythonIndex> {
  const { PIP_INDEX_URL, PIP_CONFIG_FILE, VIRTUAL_ENV, XDG_CONFIG_HOME } = env;
  if (PIP_INDEX_URL) return { url: PIP_INDEX_URL, setting: "PIP_INDEX_URL" };
  const files = [
    PIP_CONFIG_FILE,
    VIRTUAL_ENV && join(VIRTUAL_ENV, "pip.conf"),
    join(XDG_CONFIG_HOME || join(home, ".config"), "pip", "pip.conf"),
    join(home, ".pip", "pip.conf"),
    "/etc/xdg/pip/pip.conf",
    "/etc/pip.conf",
  ];
  for (const file of files) {
    const url = file ? indexOf((await textIfPresent(file)) ?? "") : undefined;
    if (file && url !== undefined) return { url, setting: `index-url of ${file}` };
  }
  return { url: PYPI, setting: "the default index" };
}

/** `index-url` in the section `[global]` of an INI file. */
function indexOf(text: string): string | undefined {
  let section = "";
  for (const line of text.split(/\r?\n/)) {
    section = /^\s*\[([^\]]*)\]/.exec(line)?.[1].trim() ?? section;
    const value = /^\s*index[-_]url\s*[=:]\s*(\S+)\s*$/.exec(line)?.[1];
    if (section === "global" && value !== undefined) return value;
  }
  return undefined;
}

/** A file of an index. */
export interface IndexFile {
  readonly url: URL;
  /** Headers for its download: credentials of the index, if it is on the same host. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Finds a file of a project by the Simple Repository API, as JSON or HTML.
 *
 * @throws {InputError} when the address is invalid, or the index does not have the file
 * @throws {ConnectionError} when the server cannot be reached
 * @see https://packaging.python.org/en/latest/specifications/simple-repository-api/
 */
export async function findIndexFile(
  { url, setting }: PythonIndex,
  project: string,
  file: string,
  { signal, retries }: { readonly signal?: AbortSignal | undefined; readonly retries?: RetryPolicy } = {},
): Promise<IndexFile> {
  checkWebAddress(url, setting);
  const page = new URL(`${url.replace(/\/*$/, "")}/${project}/`);
  const { username, password } = page;
  page.username = "";
  page.password = "";
  const login = `${percentDecoded(username)}:${percentDecoded(password)}`;
  const headers: Record<string, string> =
    username === "" ? {} : { authorization: `Basic ${Buffer.from(login).toString("base64")}` };
  const accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.2";
  const maxBytes = MAX_PAGE_BYTES;
  const { status, text } = await getJson(page, {
    headers: { ...headers, accept },
    maxBytes,
    signal,
    retries,
  });
  const found = status === 200 ? addressOf(linkOf(text, file), page) : undefined;
  if (found === undefined) {
    const why = status === 200 ? `does not have ${file}` : `responds with status ${status}`;
    throw new InputError(`${page.href}, from ${setting}, ${why}`, {
      hint: "set PIP_INDEX_URL or use --index, or download the file on another machine and use --wheel",
    });
  }
  found.hash = "";
  return { url: found, headers: found.origin === page.origin ? headers : {} };
}

/** A link of a page as an address; undefined unless it is one of http or https. */
function addressOf(link: string | undefined, page: URL): URL | undefined {
  if (link === undefined || !URL.canParse(link, page.href)) return undefined;
  const address = new URL(link, page);
  return /^https?:$/.test(address.protocol) ? address : undefined;
}

/** The part of a project's page as JSON that is read. */
const projectPage = z.object({ files: z.array(z.object({ filename: z.string(), url: z.string() })) });

/** Address of a file on a project's page, absolute or relative to it. */
function linkOf(text: string, file: string): string | undefined {
  if (text.trimStart().startsWith("{")) {
    const { data } = projectPage.safeParse(tryParseJson(text));
    return data?.files.find(({ filename }) => filename === file)?.url;
  }
  const links = [...text.matchAll(/<a\s[^>]*?href\s*=\s*["']([^"']+)["']/gi)];
  return links
    .map(([, link]) => link.replaceAll("&amp;", "&"))
    .find((link) => percentDecoded(link.replace(/[?#].*$/, "")).endsWith(`/${file}`));
}

/** Text with its percent-encoded characters decoded; unchanged if the encoding is invalid. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
