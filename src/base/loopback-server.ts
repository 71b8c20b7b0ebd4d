import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { errorCode, InputError, reasonOf } from "./errors.ts";

/** A page served on this machine. */
export interface ServedPage {
  /** Media type with its character set. */
  readonly type: "text/html; charset=utf-8" | "application/json";
  readonly text: string;
  /** Content security policy. */
  readonly policy: string;
  /** HTTP status; default 200. */
  readonly status?: number;
}

/** A running server; `await using` closes it. */
export interface LoopbackServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): Promise<void>;
}

const REFUSED: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use",
  EACCES: "cannot be used by this user",
};

/** Headers of every response. */
const HEADERS = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/**
 * Serves pages to browsers on this machine: on 127.0.0.1 only, GET and HEAD only, and only to requests whose
 * Host header names this address, so that no other site can read them by DNS rebinding. Files are not served.
 *
 * @param pageAt  the page at a path such as `/status`; undefined: not found. An error it throws gives status
 *                500
 * @param port    0: any free port
 * @throws {InputError} when the port is in use or not allowed
 */
export async function serveOnLoopback(
  pageAt: (path: string, query: URLSearchParams) => Promise<ServedPage | undefined>,
  port = 0,
): Promise<LoopbackServer> {
  let hosts: readonly string[] = [];
  const server = createServer((request, response) => {
    respond(request, hosts, pageAt).then(
      (page) => send(request, response, page),
      (error: unknown) => send(request, response, plain(500, reasonOf(error))),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const why = REFUSED[errorCode(error)];
      reject(
        why === undefined
          ? error
          : new InputError(`port ${port} ${why}`, { hint: "choose another port, or none for any free one" }),
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  hosts = [`127.0.0.1:${bound}`, `localhost:${bound}`];
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${bound}`, close, [Symbol.asyncDispose]: close };
}

async function respond(
  { method, url = "/", headers }: IncomingMessage,
  hosts: readonly string[],
  pageAt: (path: string, query: URLSearchParams) => Promise<ServedPage | undefined>,
): Promise<ServedPage> {
  if (!hosts.includes(headers.host?.toLowerCase() ?? "")) return plain(421, "unknown host");
  if (method !== "GET" && method !== "HEAD") return plain(405, "only GET and HEAD");
  const { pathname, searchParams } = new URL(url, "http://127.0.0.1");
  return (await pageAt(pathname, searchParams)) ?? plain(404, "no such page");
}

const plain = (status: number, error: string): ServedPage => ({
  type: "application/json",
  text: JSON.stringify({ error }),
  policy: "default-src 'none'",
  status,
});

function send({ method }: IncomingMessage, response: ServerResponse, page: ServedPage): void {
  const { type, text, policy, status = 200 } = page;
  const length = Buffer.byteLength(text);
  response.writeHead(status, {
    ...HEADERS,
    "content-type": type,
    "content-length": length,
    "content-security-policy": policy,
  });
  response.end(method === "HEAD" ? undefined : text);
}
