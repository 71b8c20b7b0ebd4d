import { InternalError } from "./errors.ts";

/**
 * The keys of a record with their type. `Object.keys` returns texts, because an object may have more
 * properties than its type.
 */
export function keysOf<R extends object>(record: R): (keyof R & string)[] {
  return Object.keys(record) as (keyof R & string)[];
}

/** A record with a value for each key. */
export function recordOf<Key extends string, Value>(
  keys: readonly Key[],
  valueAt: (key: Key) => Value,
): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, valueAt(key)])) as Record<Key, Value>;
}

/**
 * The value of a key that a map has by construction.
 *
 * @throws {InternalError} when it has none
 */
export function valueAt<Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): NonNullable<Value> {
  const value = map.get(key);
  if (value == null) throw new InternalError(`a map lacks ${String(key)}`);
  return value;
}

/** A record's keys: those whose value may be undefined become optional. */
type WithoutUndefined<R> = { [K in keyof R as undefined extends R[K] ? never : K]: R[K] } & {
  [K in keyof R as undefined extends R[K] ? K : never]?: Exclude<R[K], undefined>;
};

/** A copy of a record without the keys whose value is undefined. */
export function withoutUndefined<const R extends object>(record: R): WithoutUndefined<R> {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== undefined),
  ) as WithoutUndefined<R>;
}
