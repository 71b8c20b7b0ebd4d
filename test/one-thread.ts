import type { InferenceSession } from "onnxruntime-node";
import { onnxRuntime } from "../src/net/runtime/onnx-runtime.ts";

// Setup of test files that run in parallel: a session uses one thread unless the test requests more. The
// tests of the built package use ONNX Runtime's default, one per core.

const ONE_THREAD = Symbol.for("one thread by default");
const runtime = await onnxRuntime();
if (!Reflect.has(runtime.InferenceSession, ONE_THREAD)) {
  Reflect.set(runtime.InferenceSession, ONE_THREAD, true);
  const { create } = runtime.InferenceSession;
  const createWithOneThread = (model: string | Uint8Array, options: InferenceSession.SessionOptions) => {
    const withThread = { intraOpNumThreads: 1, ...options };
    return typeof model === "string" ? create(model, withThread) : create(model, withThread);
  };
  Reflect.set(runtime.InferenceSession, "create", createWithOneThread);
}
