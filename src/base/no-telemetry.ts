/** Environment variables that switch off the telemetry of ONNX Runtime, which is on by default since version 1.30. */
export const NO_TELEMETRY = { ORT_DISABLE_TELEMETRY: "1" } as const;
