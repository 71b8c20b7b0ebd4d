import { expectWebAddress, type RetryPolicy } from "../../base/http.ts";

/** How the repositories that hold the benchmark's files are reached. */
export interface Services {
  /** Address of Synapse's interface, without a slash at the end. */
  readonly synapse: string;
  /** A personal access token with the rights to view and download. */
  readonly synapseToken: string | undefined;
  /** Address of the ENCODE portal, without a slash at the end. */
  readonly encode: string;
  readonly patience?: RetryPolicy;
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
