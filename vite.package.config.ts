import { defineConfig } from "vite";
import manifest from "./package.json" with { type: "json" };

/** Entry points of the package, without `./dist/` and `.js`. */
const doors = Object.values(manifest.exports).map((path) => path.slice("./dist/".length, -".js".length));

/** Bundles the library and the command, since the start of a command is mostly the loading of its 300 modules. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: "dist",
    emptyOutDir: false,
    target: "es2023",
    minify: false,
    ssr: true,
    rollupOptions: {
      input: Object.fromEntries([...doors, "cli/main"].map((name) => [name, `src/${name}.ts`])),
      output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
    },
  },
});
