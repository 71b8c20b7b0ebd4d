import type { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { expectWebAddress, type RetryPolicy } from "../../base/http.ts";

/** How the repositories that hold the benchmark's files are reached. */
export interface Services {
  /** Address of Synapse's interface, without a slash at the end. */
  readonly synapse: string;
  /** A personal access token with the rights to view and download. */
  readonly synapseToken: string | undefined;
  /** Address of the ENCODE portal, without a slash at the end. */
  readonly encode: string;
  readonly retries?: RetryPolicy;
}

/**
 * From the environment: SYNAPSE_AUTH_TOKEN, as Synapse's own programs have it, and for mirrors
 * DART_EVAL_SYNAPSE_ENDPOINT and DART_EVAL_ENCODE_ENDPOINT.
 * @throws {InputError} naming the one that is no address
 */
export function servicesFromEnvironment(): Services {
  const { SYNAPSE_AUTH_TOKEN, DART_EVAL_SYNAPSE_ENDPOINT, DART_EVAL_ENCODE_ENDPOINT } = process.env;
  const endpoint = (name: string, given: string | undefined, usual: string) => {
    const address = (given || usual).replace(/\/+$/, "");
    expectWebAddress(address, name);
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

/** An answer of a repository, checked. @throws {FormatError} naming the address and where it is not as expected */
export function parseServiceResponse<T>(url: URL, text: string, schema: z.ZodType<T>): T {
  const place = { file: `${url.origin}${url.pathname}` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const hint = "does a proxy or a login page stand between?";
    throw new FormatError(place, "what it answers is not JSON", hint, cause);
  }
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const { path, message } = error.issues[0];
  throw new FormatError(place, `its answer is not as expected at ${path.join(".") || "the top"}: ${message}`);
}
