import { defineConfig } from "vite";

/** Bundles the charts and their libraries into one module for Node, which writes figures as files. */
export default defineConfig({
  ssr: { noExternal: true },
  build: {
    outDir: "dist/report/client",
    emptyOutDir: false,
    target: "node20",
    minify: true,
    ssr: "src/report/client/figure-files.ts",
    rollupOptions: {
      output: {
        entryFileNames: "figure-files.js",
        banner:
          "/* Contains Observable Plot, D3 and linkedom (ISC License), and the font Arimo (SIL Open Font License 1.1). */",
      },
    },
  },
});
