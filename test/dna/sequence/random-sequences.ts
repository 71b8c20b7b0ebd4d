import fc from "fast-check";

/** Arbitrary sequences over an alphabet. */
export const sequences = (letters: string, { minLength = 0, maxLength = 300 } = {}) =>
  fc.string({ unit: fc.constantFrom(...letters), minLength, maxLength });
