/**
 * Where the original's sequences come to stand when its batches are listed by name, `emb_{start}_{end}`, as texts and not by
 * number (quirk Q2): `emb_0_64`, `emb_100032_100096`, ..., `emb_1024_1088`, ..., `emb_64_128`. The labels stayed in the order
 * of the file, so label i met sequence `textOrder(...)(i)`.
 *
 * @param lines      sequences in all
 * @param batchSize  sequences per batch; the last may have fewer
 * @returns          the sequence at place i, both from 0; a permutation of 0 to lines − 1
 */
export function textOrder(lines: number, batchSize: number): (place: number) => number {
  const batches = Array.from({ length: Math.ceil(lines / batchSize) }, (_, batch) => {
    const start = batch * batchSize;
    const end = Math.min(start + batchSize, lines);
    return { start, size: end - start, name: `emb_${start}_${end}` };
  });
  batches.sort((a, b) => (a.name < b.name ? -1 : 1));
  const places = new Int32Array(batches.length);
  for (let i = 1; i < batches.length; i++) places[i] = places[i - 1]! + batches[i - 1]!.size;
  return (place) => {
    // All batches but one are full, so the batch is this one or the next.
    let i = Math.min(Math.floor(place / batchSize), batches.length - 1);
    if (i + 1 < batches.length && places[i + 1]! <= place) i++;
    return batches[i]!.start + place - places[i]!;
  };
}
