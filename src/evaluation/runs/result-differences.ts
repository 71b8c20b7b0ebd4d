import { shownValue } from "../../base/message-text.ts";

/** Relative difference of numbers that another processor or version of Node may round differently. */
const ROUNDING = 1e-9;

/**
 * Differences between a recorded and a recomputed value, one sentence each. Elements of lists are matched by
 * their name, label or method.
 */
export function* differences(path: string, recorded: unknown, computed: unknown): Generator<string> {
  if (Array.isArray(recorded) && Array.isArray(computed)) {
    const [there, here] = [byName(recorded), byName(computed)];
    for (const name of new Set([...there.keys(), ...here.keys()])) {
      yield* differences(`${path}: ${name}`, there.get(name), here.get(name));
    }
  } else if (isObject(recorded) && isObject(computed)) {
    for (const key of new Set([...Object.keys(recorded), ...Object.keys(computed)])) {
      yield* differences(`${path}: ${key}`, recorded[key], computed[key]);
    }
  } else if (!equal(recorded, computed)) {
    yield `${path} is ${shownValue(recorded)}; recomputed: ${shownValue(computed)}`;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function equal(a: unknown, b: unknown): boolean {
  if (typeof a !== "number" || typeof b !== "number") return a === b;
  return a === b || Math.abs(a - b) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b));
}

/** Elements by name, or by number where they have none or share it. */
function byName(list: readonly unknown[]): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [i, element] of list.entries()) {
    const { name, label, method, of } = isObject(element) ? element : {};
    const names = [name ?? label ?? method, of].filter((text) => typeof text === "string");
    const key = names.join(" of ");
    found.set(key === "" || found.has(key) ? `${key}[${i}]` : key, element);
  }
  return found;
}
