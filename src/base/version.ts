import { createRequire } from "node:module";

const manifest = createRequire(import.meta.url)("../../package.json") as { readonly version: string };

/** This package's version, as its `package.json` says; results carry it. */
export const version: string = manifest.version;
