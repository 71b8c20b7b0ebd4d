import { z } from "zod";
import { HttpError } from "../../base/download.ts";
import { InputError } from "../../base/errors.ts";
import { DEFAULT_RETRIES, postJson } from "../../base/http.ts";
import { parseServiceResponse, type Services } from "./services.ts";

/** Identifiers of a file in Synapse, with the size and digest that Synapse states. */
export interface SynapseFile {
  readonly entity: string;
  readonly handle: string;
  readonly name: string;
  readonly bytes: number | undefined;
  readonly md5: string | undefined;
}

const MAX_RESPONSE_BYTES = 16 * 2 ** 20;
/** Largest number of folders to search for one file. */
const MAX_FOLDERS = 200;

const bundleSchema = z.object({
  entity: z.object({
    id: z.string(),
    name: z.string(),
    concreteType: z.string(),
    dataFileHandleId: z.string().optional(),
  }),
  fileHandles: z
    .array(
      z.object({
        id: z.string(),
        fileName: z.string().nullish(),
        contentSize: z.int().nonnegative().nullish(),
        contentMd5: z
          .string()
          .regex(/^[0-9a-f]{32}$/)
          .nullish(),
      }),
    )
    .nullish(),
});

const childrenSchema = z.object({
  page: z.array(z.object({ id: z.string(), name: z.string(), type: z.string() })),
  nextPageToken: z.string().nullish(),
});

const batchSchema = z.object({
  requestedFiles: z
    .array(
      z.object({
        fileHandleId: z.string(),
        preSignedURL: z.url().nullish(),
        failureCode: z.string().nullish(),
      }),
    )
    .min(1),
});

/**
 * Looks up a file by its Synapse id or, if the id is a folder's, by its name anywhere in the folder.
 *
 * @throws {InputError} when there is no token, Synapse does not accept it, its account may not download the
 *   file, or there is no such file
 */
export async function findSynapseFile(
  services: Services,
  { id, name }: { readonly id: string; readonly name?: string },
  signal?: AbortSignal,
): Promise<SynapseFile> {
  const own = await fileOf(services, id, signal);
  if (own !== undefined) return own;
  const folders = [id];
  for (let searched = 0; searched < folders.length && searched < MAX_FOLDERS; searched++) {
    for (const child of await childrenOf(services, folders[searched], signal)) {
      if (child.type.endsWith("Folder")) folders.push(child.id);
      else if (child.name === name) {
        const file = await fileOf(services, child.id, signal);
        if (file !== undefined) return file;
      }
    }
  }
  throw new InputError(
    name === undefined
      ? `${id} is not a file in Synapse`
      : `Synapse has no file ${JSON.stringify(name)} in the folder ${id}`,
    { hint: `see https://www.synapse.org/Synapse:${id}` },
  );
}

/** Short-lived download URL of the file. @throws {InputError} as `findSynapseFile` */
export async function signedAddress(
  services: Services,
  { entity, handle }: SynapseFile,
  signal?: AbortSignal,
): Promise<string> {
  const response = await requestJson(services, "/file/v1/fileHandle/batch", batchSchema, entity, signal, {
    includeFileHandles: false,
    includePreSignedURLs: true,
    includePreviewPreSignedURLs: false,
    requestedFiles: [{ fileHandleId: handle, associateObjectId: entity, associateObjectType: "FileEntity" }],
  });
  const [file] = response.requestedFiles;
  if (file?.preSignedURL) return file.preSignedURL;
  throw accessError(services, entity, file?.failureCode === "NOT_FOUND" ? 404 : 403);
}

async function fileOf(
  services: Services,
  id: string,
  signal: AbortSignal | undefined,
): Promise<SynapseFile | undefined> {
  const { entity, fileHandles } = await requestJson(
    services,
    `/repo/v1/entity/${id}/bundle2`,
    bundleSchema,
    id,
    signal,
    { includeEntity: true, includeFileHandles: true },
  );
  if (!entity.concreteType.endsWith("FileEntity")) return undefined;
  const handle = fileHandles?.find((one) => one.id === entity.dataFileHandleId);
  // Synapse omits the handles that the account may not download.
  if (handle === undefined) throw accessError(services, id, 403);
  return {
    entity: entity.id,
    handle: handle.id,
    name: handle.fileName ?? entity.name,
    bytes: handle.contentSize ?? undefined,
    md5: handle.contentMd5 ?? undefined,
  };
}

async function childrenOf(services: Services, folder: string, signal: AbortSignal | undefined) {
  const children: z.infer<typeof childrenSchema>["page"] = [];
  let next: string | null = null;
  do {
    const response: z.infer<typeof childrenSchema> = await requestJson(
      services,
      "/repo/v1/entity/children",
      childrenSchema,
      folder,
      signal,
      {
        parentId: folder,
        includeTypes: ["file", "folder"],
        ...(next === null ? {} : { nextPageToken: next }),
      },
    );
    children.push(...response.page);
    next = response.page.length === 0 ? null : (response.nextPageToken ?? null);
  } while (next !== null);
  return children;
}

async function requestJson<T>(
  services: Services,
  path: string,
  schema: z.ZodType<T>,
  entity: string,
  signal: AbortSignal | undefined,
  body: object,
): Promise<T> {
  const { synapse, synapseToken, retries = DEFAULT_RETRIES } = services;
  if (synapseToken === undefined) {
    throw new InputError(`${entity} needs a Synapse account, and SYNAPSE_AUTH_TOKEN is not set`, {
      hint: TOKEN_HINT,
    });
  }
  if (!/^[\w.~+/=-]+$/.test(synapseToken)) {
    throw new InputError("SYNAPSE_AUTH_TOKEN contains characters that are invalid in a token", {
      hint: TOKEN_HINT,
    });
  }
  const url = new URL(`${synapse}${path}`);
  const response = await postJson(url, JSON.stringify(body), {
    retries,
    maxBytes: MAX_RESPONSE_BYTES,
    headers: { authorization: `Bearer ${synapseToken}` },
    signal,
  });
  if (response.status >= 200 && response.status < 300) {
    return parseServiceResponse(url, response.text, schema);
  }
  throw accessError(services, entity, response.status);
}

const TOKEN_HINT =
  "create a personal access token with view and download permissions at https://www.synapse.org/PersonalAccessTokens and set SYNAPSE_AUTH_TOKEN to it";

function accessError({ synapse }: Services, entity: string, status: number): HttpError {
  if (status === 401) {
    return new HttpError(401, "Synapse does not accept the token in SYNAPSE_AUTH_TOKEN (401)", TOKEN_HINT);
  }
  if (status === 403) {
    return new HttpError(
      403,
      `the account of SYNAPSE_AUTH_TOKEN may not download ${entity} (403)`,
      `check the token's download permission, and accept the terms at https://www.synapse.org/Synapse:${entity}`,
    );
  }
  if (status === 404) return new HttpError(404, `Synapse has no ${entity} (404)`);
  const later = status === 429 || status >= 500 ? "try again later" : undefined;
  return new HttpError(status, `${new URL(synapse).host} returned status ${status} for ${entity}`, later);
}
