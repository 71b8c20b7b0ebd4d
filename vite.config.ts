import { defineConfig } from "vite";

/** Bundles the report's charts into one script and one style sheet, which `report/page.ts` puts into the page. */
export default defineConfig({
  build: {
    outDir: "dist/report",
    emptyOutDir: false,
    target: "es2022",
    lib: {
      entry: "src/report/client/main.ts",
      formats: ["iife"],
      name: "dartEvalReport",
      fileName: () => "client.js",
      cssFileName: "client",
    },
  },
});
