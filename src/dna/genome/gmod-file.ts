import type { GenericFilehandle } from "generic-filehandle2";
import type { OpenFile } from "../../base/read-file.ts";

/**
 * An open file as the GMOD readers want it. They ask for more than the file has and take what comes, so reads are cut at
 * the file's end: no count in a damaged file makes them allocate more than the file's size.
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
