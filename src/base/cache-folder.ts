import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * A folder for what can be made again: $DART_EVAL_CACHE, or `dart-eval` in $XDG_CACHE_HOME, or in ~/.cache.
 * It may not exist yet. A relative XDG_CACHE_HOME does not count, as its specification asks.
 *
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function cacheFolder(...parts: string[]): string {
  return join(process.env.DART_EVAL_CACHE || join(userCacheFolder(), "dart-eval"), ...parts);
}

/** $XDG_CACHE_HOME, or ~/.cache: the folder that all programs of this user share. */
export function userCacheFolder(): string {
  const xdg = process.env.XDG_CACHE_HOME ?? "";
  return isAbsolute(xdg) ? xdg : join(homedir(), ".cache");
}
