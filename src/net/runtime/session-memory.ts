/**
 * Resident bytes of ONNX Runtime with one session, without weights and activations: the pages of its library,
 * its threads and the tables of the session. Measured with a model of a few kilobytes.
 */
export const RUNTIME_BYTES = 50e6;

/**
 * Ratio of the memory of a forward pass to its live values: fragments of the arena and temporaries inside
 * operators. Measured ratios are 1.0 (HyenaDNA) to 1.36 (Nucleotide Transformer, 2,114 bases). Of training
 * steps, which mostly store activations, the ratio is 0.82 to 1.17, and 1 is assumed.
 */
const FORWARD_SHARE = 1.15;

/**
 * Bytes of the activations of a forward pass. @param values  float32 values alive at once, by `peakValues`
 */
export const forwardBytes = (values: number): number => 4 * FORWARD_SHARE * values;
