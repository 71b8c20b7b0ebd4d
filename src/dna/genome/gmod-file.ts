import type { GenericFilehandle } from "generic-filehandle2";
import type { OpenFile } from "../../base/read-file.ts";

/**
 * Adapts an open file to the interface of the GMOD readers. Those read past the end of the file, so reads are
 * clipped: a wrong count in a damaged file cannot allocate more than the size of the file.
 */
export function asGmodFile(file: OpenFile): GenericFilehandle {
  const read = (length: number, position: number) => {
    const start = Math.min(Math.max(position, 0), file.size);
    return file.read(start, Math.max(0, Math.min(length, file.size - start)));
  };
  return {
    read,
    readFile: () => read(file.size, 0),
    stat: async () => ({ size: file.size }),
    close: async () => {},
  } as GenericFilehandle;
}
