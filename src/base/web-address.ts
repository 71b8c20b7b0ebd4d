import { InputError } from "./errors.ts";
import { quotedText } from "./quoted-text.ts";

/**
 * Checks an address that a user may set.
 * @param setting  its name, for the message: "HF_ENDPOINT"
 * @throws {InputError} naming the setting
 */
export function expectWebAddress(address: string, setting: string): void {
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return;
  throw new InputError(`${setting} is ${quotedText(address)}, which is no address`, {
    hint: "an address begins with https:// or http://",
  });
}
