import { z } from "zod";
import type { ExpectedFile } from "../../base/digest.ts";
import { type DownloadAddress, HttpError } from "../../base/download.ts";
import { FormatError } from "../../base/errors.ts";
import { getJson } from "../../base/http.ts";
import { withoutUndefined } from "../../base/record.ts";
import { parseServiceResponse, type Services } from "./services.ts";
import type { SourceAddress } from "./source.ts";
import { findSynapseFile, signedAddress } from "./synapse.ts";

/** Download address of a file, with the size and digest that its repository states. */
export interface LocatedFile {
  readonly url: DownloadAddress;
  readonly expected: ExpectedFile;
  /** True if the download is gzip-compressed. */
  readonly gzip: boolean;
}

/**
 * Looks up a file in its repository.
 *
 * @throws {InputError} when the repository has no such file, denies access, or cannot be reached
 */
export async function locate(
  address: SourceAddress,
  services: Services,
  signal?: AbortSignal,
): Promise<LocatedFile> {
  switch (address.kind) {
    case "web":
      return { url: address.url, expected: {}, gzip: isGzip(new URL(address.url).pathname) };
    case "encode": {
      const { url, bytes, md5 } = await findEncodeFile(services, address.accession, signal);
      return { url, expected: { bytes, md5 }, gzip: isGzip(url.pathname) };
    }
    case "synapse": {
      const file = await findSynapseFile(services, address, signal);
      return {
        url: () => signedAddress(services, file, signal),
        expected: {
          ...withoutUndefined({ bytes: file.bytes, md5: file.md5 }),
        },
        gzip: isGzip(file.name) && !isGzip(address.name ?? ""),
      };
    }
  }
}

const isGzip = (name: string) => name.endsWith(".gz");

/** Label of an address: `ENCODE ENCFF420VPZ`, `Synapse syn62153306`. */
export function addressText(address: SourceAddress): string {
  switch (address.kind) {
    case "web":
      return address.url;
    case "encode":
      return `ENCODE ${address.accession}`;
    case "synapse":
      return address.name === undefined ? `Synapse ${address.id}` : `Synapse ${address.id}, ${address.name}`;
  }
}

interface EncodeFile {
  /** Redirects to the portal's storage. */
  readonly url: URL;
  readonly bytes: number;
  readonly md5: string;
}

const fileSchema = z.object({
  accession: z.string(),
  href: z.string(),
  file_size: z.int().nonnegative(),
  md5sum: z.string().regex(/^[0-9a-f]{32}$/),
});

/**
 * Looks up a file of the ENCODE portal by accession, such as `ENCFF420VPZ`.
 *
 * @throws {InputError} when the portal has no such file, cannot be reached, or sends an unexpected response
 * @see https://www.encodeproject.org/help/rest-api/
 */
async function findEncodeFile(
  { encode, retries }: Services,
  accession: string,
  signal?: AbortSignal,
): Promise<EncodeFile> {
  const url = new URL(`${encode}/files/${accession}/?format=json`);
  const { status, text } = await getJson(url, { maxBytes: 16 * 2 ** 20, retries, signal });
  if (status !== 200) {
    throw new HttpError(
      status,
      status === 404
        ? `${url.host} has no file ${accession} (404)`
        : status === 403
          ? `${url.host} does not give public access to ${accession} (403)`
          : `${url.host} returned status ${status} for ${accession}`,
      status === 429 || status >= 500 ? "try again later" : undefined,
    );
  }
  const place = { file: `${url.origin}${url.pathname}` };
  const data = parseServiceResponse(url, text, fileSchema);
  const address = URL.canParse(data.href, encode) ? new URL(data.href, encode) : undefined;
  if (address?.origin !== url.origin || data.accession !== accession) {
    throw new FormatError(
      place,
      `the response has ${JSON.stringify(data.href.slice(0, 200))} as the address of ${data.accession.slice(0, 40)}`,
      "expected an address of the same portal",
    );
  }
  return { url: address, bytes: data.file_size, md5: data.md5sum };
}
