import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { sha256Hex } from "../../src/base/digest.ts";
import { sendFile, startServer } from "../http-server.ts";

export const COMMIT = "1234567890abcdef1234567890abcdef12345678";

export interface FakeRepo {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** File in large-file storage: listed by SHA-256, sent by another host. */
  readonly large: readonly string[];
  /** Licence in the repository's metadata. */
  readonly license?: string;
  /** Commit of the branch main. */
  readonly commit?: string;
}

export interface FakeHub {
  readonly endpoint: string;
  /** Requests: `GET /api/…`, `GET storage/…`, with range and token. */
  readonly requests: string[];
  /** Handles a request instead of the server; true if it responded. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** A server with the Hugging Face hub's API for one repository, and the storage it redirects to. */
export async function startHub({ name, files, large, license, commit = COMMIT }: FakeRepo): Promise<FakeHub> {
  const requests: string[] = [];
  const log = (where: string, { method, url, headers }: IncomingMessage) => {
    const extras = [headers.range, headers.authorization].filter((extra) => extra !== undefined);
    requests.push([`${method} ${where}${url!.split("?")[0]}`, ...extras].join(" "));
  };
  const hub: FakeHub = { endpoint: "", requests, intercept: () => false };

  const storage = await startServer((request, response) => {
    log("storage", request);
    if (hub.intercept(request, response)) return;
    sendFile(request, response, files[decodeURIComponent(request.url!.slice(1))]);
  });

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url!.split("?")[0];
    const json = (body: unknown) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(body));
    };
    const resolve = `/${name}/resolve/${commit}/`;
    if (path === `/api/models/${name}/revision/main`) return json({ id: name, _id: "0", sha: commit });
    if (path === `/api/models/${name}/revision/${commit}`) {
      return json({ id: name, _id: "0", sha: commit, cardData: { license } });
    }
    if (path === `/api/models/${name}/tree/${commit}`) return json(tree({ name, files, large }));
    const file = path.startsWith(resolve) ? decodeURIComponent(path.slice(resolve.length)) : "";
    if (!(file in files))
      return response.writeHead(404, { "x-error-code": "EntryNotFound" }).end("not found");
    if (!large.includes(file)) return sendFile(request, response, files[file]);
    const headers = { location: `${storage}/${encodeURIComponent(file)}`, "x-repo-commit": commit };
    return response.writeHead(302, headers).end();
  };
  const endpoint = await startServer((request, response) => {
    log("", request);
    if (!hub.intercept(request, response)) answer(request, response);
  });
  return Object.assign(hub, { endpoint });
}

/**
 * Entry of the hub's list of files: for a large file the digest and size of the contents and of the pointer.
 */
export function tree({ files, large }: FakeRepo): unknown[] {
  const entries = Object.entries(files).map(([path, bytes]) => ({
    type: "file",
    path,
    oid: gitBlobId(bytes),
    size: bytes.length,
    ...(large.includes(path) ? { lfs: { oid: sha256Hex(bytes), size: bytes.length, pointerSize: 130 } } : {}),
  }));
  return [{ type: "directory", path: "onnx", oid: "0".repeat(40), size: 0 }, ...entries];
}

export const gitBlobId = (bytes: Uint8Array) =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
