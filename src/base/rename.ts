import { promisify } from "node:util";
import gracefulFs from "graceful-fs";

/**
 * Renames a file or folder. On Windows, where a virus scanner or an indexer may hold a new file for a moment, it tries again
 * for up to a minute.
 *
 * @throws the system's error
 */
export const rename: (from: string, to: string) => Promise<void> = promisify(gracefulFs.rename);
