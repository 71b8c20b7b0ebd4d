import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on this machine for the length of a test; gives its address, without a slash at the end. */
export async function startServer(handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends bytes as a file server does: whole, or from the byte that a Range header asks for. */
export function sendFile(
  { headers }: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array,
  { etag, cutAfter }: { readonly etag?: string; readonly cutAfter?: number } = {},
): void {
  if (etag !== undefined) response.setHeader("etag", etag);
  const same = headers["if-range"] === undefined || headers["if-range"] === etag;
  const start = same ? Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0) : 0;
  if (start >= bytes.length && start > 0) {
    response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
    return;
  }
  const rest = bytes.subarray(start);
  response.setHeader("content-length", rest.length);
  if (start > 0) response.setHeader("content-range", `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
  response.writeHead(start > 0 ? 206 : 200);
  if (cutAfter === undefined || cutAfter >= rest.length) response.end(rest);
  else response.write(rest.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 20));
}
