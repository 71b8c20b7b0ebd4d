import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { Services } from "../../../src/datasets/sources/services.ts";
import { sendFile, startServer } from "../../http-server.ts";

export const TOKEN = "eyJ0eXAi.token.x-y_z";

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  readonly contents: Buffer;
  /** Wrong size or digest for the repository to state. */
  readonly says?: { readonly bytes?: number; readonly md5?: string };
}

export interface Repositories {
  readonly services: Services;
  /** "METHOD host path" of every request, in order; the storage's host is "storage". */
  readonly requests: string[];
  /** Authorization headers sent to the storage. */
  readonly leaked: string[];
  /** Range headers sent to the storage. */
  readonly ranges: (string | undefined)[];
}

export interface RepositoryOptions {
  readonly token?: string | undefined;
  /** Bytes after which the storage closes the connection. */
  readonly cutAfter?: number;
  /** First responses of the repositories, before normal ones. */
  readonly first?: readonly { readonly status: number; readonly headers?: Record<string, string> }[];
  /** Status of every response of Synapse's API. */
  readonly synapseSays?: number;
  /** Omit file handles, as for an account without download permission. */
  readonly hideHandles?: boolean;
}

const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex");

/**
 * Servers that behave like Synapse's API, the ENCODE portal and their storage: folders and pages of children,
 * addresses valid for one request, redirects to another host, ranges.
 */
export async function startRepositories(
  files: readonly StoredFile[],
  { token = TOKEN, cutAfter, first = [], synapseSays, hideHandles }: RepositoryOptions = {},
): Promise<Repositories> {
  const requests: string[] = [];
  const leaked: string[] = [];
  const ranges: (string | undefined)[] = [];
  const signatures = new Set<string>();
  let signature = 0;
  const waiting = [...first];

  const storage = await startServer((request, response) => {
    requests.push(`${request.method} storage ${request.url!.split("?")[0]}`);
    if (request.headers.authorization !== undefined) leaked.push(request.headers.authorization);
    const { pathname, searchParams } = new URL(request.url!, "http://storage");
    const key = searchParams.get("signature");
    if (key !== "open" && !signatures.delete(key ?? "")) return void response.writeHead(403).end();
    ranges.push(request.headers.range);
    const bytes = contentsAt(pathname, files);
    if (bytes === undefined) return void response.writeHead(404).end();
    sendFile(request, response, bytes, { etag: '"1"', ...(cutAfter === undefined ? {} : { cutAfter }) });
  });
  // Another host by name, as a cloud's storage is.
  const storageHost = storage.replace("127.0.0.1", "localhost");

  const synapse = await startServer((request, response) => {
    requests.push(`${request.method} synapse ${request.url}`);
    if (passing(response)) return;
    if (synapseSays !== undefined) return json(response, synapseSays, { reason: "no" });
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      return json(response, 401, { reason: "Invalid access token" });
    }
    void body(request).then((asks) => {
      const id = /^\/repo\/v1\/entity\/(syn\d+)\/bundle2$/.exec(request.url!)?.[1];
      if (id !== undefined) return bundle(id, response);
      if (request.url === "/repo/v1/entity/children") return children(asks, response);
      if (request.url === "/file/v1/fileHandle/batch") {
        const { fileHandleId } = (asks.requestedFiles as { fileHandleId: string }[])[0];
        const key = String(++signature);
        signatures.add(key);
        const preSignedURL = `${storageHost}/handle/${fileHandleId}?signature=${key}`;
        return json(response, 200, { requestedFiles: [{ fileHandleId, preSignedURL }] });
      }
      json(response, 404, {});
    });
  });

  const encode = await startServer((request, response) => {
    requests.push(`${request.method} encode ${request.url}`);
    if (passing(response)) return;
    const [, accession, rest] = /^\/files\/(\w+)\/(.*)$/.exec(request.url!) ?? [];
    const file = files.find(({ id }) => id === accession);
    if (file === undefined) return json(response, 404, { "@type": ["HTTPNotFound"] });
    const packed = gzipSync(file.contents);
    if (rest === "?format=json") {
      return json(response, 200, {
        "@id": `/files/${accession}/`,
        accession,
        href: `/files/${accession}/@@download/${accession}.bed.gz`,
        file_size: file.says?.bytes ?? packed.length,
        md5sum: file.says?.md5 ?? md5(packed),
        status: "released",
      });
    }
    response.writeHead(307, { location: `${storageHost}/gzip/${accession}?signature=open` }).end();
  });

  /** The first folder's only child is the second, which has the files on two pages. */
  function children({ parentId, nextPageToken }: Record<string, unknown>, response: ServerResponse) {
    const type = (name: string) => `org.sagebionetworks.repo.model.${name}`;
    if (parentId === "syn1") {
      return json(response, 200, { page: [{ id: "syn2", name: "inputs", type: type("Folder") }] });
    }
    const half = Math.ceil(files.length / 2);
    const page = nextPageToken === "2" ? files.slice(half) : files.slice(0, half);
    json(response, 200, {
      page: page.map(({ id, name }) => ({ id, name, type: type("FileEntity") })),
      ...(nextPageToken === "2" ? { nextPageToken: null } : { nextPageToken: "2" }),
    });
  }

  function bundle(id: string, response: ServerResponse) {
    const concreteType = (name: string) => `org.sagebionetworks.repo.model.${name}`;
    const file = files.find((one) => one.id === id);
    if (file === undefined && !["syn1", "syn2"].includes(id)) return json(response, 404, {});
    if (file === undefined) {
      return json(response, 200, { entity: { id, name: "folder", concreteType: concreteType("Folder") } });
    }
    const handle = `9${id.slice(3)}`;
    json(response, 200, {
      entity: { id, name: file.name, concreteType: concreteType("FileEntity"), dataFileHandleId: handle },
      fileHandles: hideHandles
        ? []
        : [
            { id: "preview", fileName: "preview.txt", contentSize: 3, contentMd5: md5(Buffer.from("abc")) },
            {
              id: handle,
              fileName: file.name,
              contentSize: file.says?.bytes ?? file.contents.length,
              contentMd5: file.says?.md5 ?? md5(file.contents),
            },
          ],
    });
  }

  function passing(response: ServerResponse): boolean {
    const now = waiting.shift();
    if (now === undefined) return false;
    response.writeHead(now.status, now.headers).end();
    return true;
  }

  const services = {
    synapse,
    encode,
    synapseToken: token,
    retries: { attempts: 4, initialDelayMs: 1 },
  };
  return { services, requests, leaked, ranges };
}

function contentsAt(path: string, files: readonly StoredFile[]): Buffer | undefined {
  const [, kind, id] = path.split("/");
  const file = files.find((one) => (kind === "gzip" ? one.id === id : `9${one.id.slice(3)}` === id));
  return file === undefined ? undefined : kind === "gzip" ? gzipSync(file.contents) : file.contents;
}

function json(response: ServerResponse, status: number, value: object) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

async function body(request: IncomingMessage): Promise<Record<string, unknown>> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return JSON.parse(Buffer.concat(pieces).toString("utf8")) as Record<string, unknown>;
}
