import type { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { checkWebAddress, type RetryPolicy } from "../../base/http.ts";
import { firstIssue } from "../../base/json.ts";

/** Addresses and credentials of the repositories with the benchmark's files. */
export interface Services {
  /** Address of Synapse's REST API, without trailing slash. */
  readonly synapse: string;
  /** Personal access token with view and download permissions. */
  readonly synapseToken: string | undefined;
  /** Address of the ENCODE portal, without trailing slash. */
  readonly encode: string;
  readonly retries?: RetryPolicy;
}

/**
 * Services from environment variables: SYNAPSE_AUTH_TOKEN, as used by Synapse's own clients, and for mirrors
 * DART_EVAL_SYNAPSE_ENDPOINT and DART_EVAL_ENCODE_ENDPOINT.
 * @throws {InputError} naming the variable that is not an address
 */
export function servicesFromEnvironment(): Services {
  const { SYNAPSE_AUTH_TOKEN, DART_EVAL_SYNAPSE_ENDPOINT, DART_EVAL_ENCODE_ENDPOINT } = process.env;
  const endpoint = (name: string, given: string | undefined, usual: string) => {
    const address = (given || usual).replace(/\/+$/, "");
    checkWebAddress(address, name);
    return address;
  };
  return {
    synapse: endpoint(
      "DART_EVAL_SYNAPSE_ENDPOINT",
      DART_EVAL_SYNAPSE_ENDPOINT,
      "https://repo-prod.prod.sagebase.org",
    ),
    synapseToken: SYNAPSE_AUTH_TOKEN?.trim() || undefined,
    encode: endpoint("DART_EVAL_ENCODE_ENDPOINT", DART_EVAL_ENCODE_ENDPOINT, "https://www.encodeproject.org"),
  };
}

/** Parses a JSON response. @throws {FormatError} naming the address and the invalid part */
export function parseServiceResponse<T>(url: URL, text: string, schema: z.ZodType<T>): T {
  const place = { file: `${url.origin}${url.pathname}` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const hint = "is there a proxy or a login page?";
    throw new FormatError(place, "the response is not JSON", hint, cause);
  }
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new FormatError(place, `invalid response at ${firstIssue(error, "the top")}`);
}
