import fc from "fast-check";

/** Any sequence of the given letters. */
export const sequences = (letters: string, { minLength = 0, maxLength = 300 } = {}) =>
  fc.string({ unit: fc.constantFrom(...letters), minLength, maxLength });
