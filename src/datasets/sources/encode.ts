import { z } from "zod";
import { HttpError } from "../../base/download.ts";
import { FormatError } from "../../base/errors.ts";
import { getJson } from "../../base/http.ts";
import { parseServiceResponse, type Services } from "./services.ts";

export interface EncodeFile {
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
export async function findEncodeFile(
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
