import { join } from "node:path";
import { InputError } from "../base/errors.ts";
import { expectWebAddress } from "../base/http.ts";
import { textIfPresent } from "../base/read-file.ts";
import { hubHome } from "./hub-cache.ts";

/** How to reach the hub, from the environment variables that Python's libraries use as well. */
export interface HubAccess {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly token: string | undefined;
}

/**
 * $HF_ENDPOINT, for a mirror; and $HF_TOKEN, or the token that a login left in a file.
 * @throws {InputError} when HF_HUB_OFFLINE forbids the network, or the endpoint or the token cannot be one
 */
export async function hubAccess(): Promise<HubAccess> {
  if (/^(1|on|yes|true)$/i.test(process.env.HF_HUB_OFFLINE ?? "")) {
    throw new InputError("HF_HUB_OFFLINE is set, so nothing is downloaded", {
      hint: "unset it, or give the folder of a checkpoint that is on this machine",
    });
  }
  const endpoint = (process.env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
  expectWebAddress(endpoint, "HF_ENDPOINT");
  return { endpoint, token: await token() };
}

async function token(): Promise<string | undefined> {
  const given = process.env.HF_TOKEN || process.env.HUGGING_FACE_HUB_TOKEN;
  const file = process.env.HF_TOKEN_PATH || join(hubHome(), "token");
  const found = (given || (await textIfPresent(file)) || "").trim();
  if (found === "") return undefined;
  if (/^hf_[\w-]+$/.test(found)) return found;
  throw new InputError(`the token ${given ? "in HF_TOKEN" : `in ${file}`} does not begin with hf_`, {
    hint: "make one at https://huggingface.co/settings/tokens",
  });
}
