/** Precisions of a model's forward pass: float32, or dense layers in float16 or in 8-bit integers. */
export const PRECISIONS = ["f32", "f16", "int8"] as const;
/** A precision of a forward pass. */
export type Precision = (typeof PRECISIONS)[number];

/** Precisions that are checked against float32. */
export const REDUCED_PRECISIONS = ["f16", "int8"] as const satisfies readonly Precision[];
/** A precision that is checked against float32. */
export type ReducedPrecision = (typeof REDUCED_PRECISIONS)[number];
