import type { ExpectedFile } from "../../base/digest.ts";
import type { DownloadAddress } from "../../base/download.ts";
import { findEncodeFile } from "./encode.ts";
import type { Services } from "./services.ts";
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
          ...(file.bytes === undefined ? {} : { bytes: file.bytes }),
          ...(file.md5 === undefined ? {} : { md5: file.md5 }),
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
