/** An entry of a test archive; fields other than name and data make it unusual or invalid. */
export interface EntryToMake {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  /** The sizes that the directory claims. */
  readonly claims?: number;
  /** The size after decompression that it claims, if different. */
  readonly unpacked?: number;
  /** The name in the entry's own header. */
  readonly localName?: string;
}

/**
 * A zip archive, assembled by hand so that each part can be invalid. `zip64` moves every size into 64-bit
 * fields.
 */
export function zipBytes(entries: readonly EntryToMake[], { zip64 = false, comment = "" } = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const add = (bytes: Uint8Array) => {
    parts.push(bytes);
    at += bytes.length;
  };
  for (const each of entries) {
    const { name, data, method = 0, flags = 0, claims = data.length, localName = name } = each;
    const { unpacked = claims } = each;
    const headerOffset = at;
    const padding = new Uint8Array(7);
    add(
      numbers([0x04034b50, 4], [20, 2], [flags, 2], [method, 2], [0, 8], [data.length, 4], [data.length, 4]),
    );
    add(numbers([localName.length, 2], [padding.length, 2]));
    add(text(localName));
    add(padding);
    add(data);
    const extra = zip64
      ? numbers([9, 2], [1, 2], [0, 1], [1, 2], [24, 2], [unpacked, 8], [claims, 8], [headerOffset, 8])
      : numbers();
    const narrow = (value: number) => (zip64 ? 0xffffffff : value);
    directory.push(
      numbers([0x02014b50, 4], [20, 2], [20, 2], [flags, 2], [method, 2], [0, 8], [narrow(claims), 4]),
      numbers([narrow(unpacked), 4], [name.length, 2], [extra.length, 2], [0, 2], [0, 2], [0, 6]),
      numbers([narrow(headerOffset), 4]),
      text(name),
      extra,
    );
  }
  const start = at;
  for (const part of directory) add(part);
  const size = at - start;
  if (zip64) {
    const record = at;
    const count = entries.length;
    add(
      numbers(
        [0x06064b50, 4],
        [44, 8],
        [45, 2],
        [45, 2],
        [0, 8],
        [count, 8],
        [count, 8],
        [size, 8],
        [start, 8],
      ),
    );
    add(numbers([0x07064b50, 4], [0, 4], [record, 8], [1, 4]));
    add(numbers([0x06054b50, 4], [0, 4], [0xffff, 2], [0xffff, 2], [0xffffffff, 4], [0xffffffff, 4]));
  } else {
    add(numbers([0x06054b50, 4], [0, 4], [entries.length, 2], [entries.length, 2], [size, 4], [start, 4]));
  }
  add(numbers([comment.length, 2]));
  add(text(comment));
  return joined(parts);
}

/** Little-endian numbers of the given widths in bytes, one after another. */
export function numbers(...fields: readonly (readonly [value: number, width: number])[]): Uint8Array {
  return Uint8Array.from(
    fields.flatMap(([value, width]) =>
      Array.from({ length: width }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 255n)),
    ),
  );
}

export const text = (value: string) => new TextEncoder().encode(value);

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
