import wabt from "wabt";

/** Compiles WebAssembly text to the source of a TypeScript file with the binary in base64. */
export async function compiledKernels(text: string): Promise<string> {
  const { parseWat } = await wabt();
  const module = parseWat("k-means-kernels.wat", text, { simd: true });
  try {
    module.validate();
    const base64 = Buffer.from(module.toBinary({}).buffer).toString("base64");
    return `/** k-means-kernels.wat in binary form, as base64. Made by \`npm run kernels\`. */\nexport const KERNELS =\n  "${base64}";\n`;
  } finally {
    module.destroy();
  }
}
