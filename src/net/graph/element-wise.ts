import type { DType } from "../arrays/array.ts";
import { apply } from "./apply.ts";
import { GraphError } from "./graph-error.ts";
import { reshape } from "./rearrange.ts";
import { isOp, type Sym } from "./sym.ts";
import { scalar } from "./tensors.ts";

/** A tensor, or a number that takes the element type of the other operand. */
export type Operand = Sym | number;

function operands(a: Operand, b: Operand): readonly [Sym, Sym] {
  if (typeof a !== "number") return [a, typeof b === "number" ? scalar(b, a.dtype) : b];
  if (typeof b === "number") throw new GraphError("one operand must be a tensor");
  return [scalar(a, b.dtype), b];
}

type BinaryOp =
  | "Add"
  | "Sub"
  | "Mul"
  | "Div"
  | "Pow"
  | "Max"
  | "Min"
  | "Mod"
  | "Equal"
  | "Greater"
  | "GreaterOrEqual"
  | "Less"
  | "LessOrEqual";

const binary = (op: BinaryOp) => (a: Operand, b: Operand) => apply(op, operands(a, b), {});

/** a + b; shapes broadcast, here and in all binary operations. */
export const add = binary("Add");
/** a − b. */
export const sub = binary("Sub");
/** a · b, element by element. */
export const mul = binary("Mul");
/** a / b. */
export const div = binary("Div");
/** aᵇ. */
export const pow = binary("Pow");
/** The larger of a and b. */
export const maximum = binary("Max");
/** The smaller of a and b. */
export const minimum = binary("Min");
/** a modulo b, with the sign of b; integers. */
export const mod = binary("Mod");
/** a = b, as bool. */
export const equal = binary("Equal");
/** a > b, as bool. */
export const greater = binary("Greater");
/** a ≥ b, as bool. */
export const greaterOrEqual = binary("GreaterOrEqual");
/** a < b, as bool. */
export const less = binary("Less");
/** a ≤ b, as bool. */
export const lessOrEqual = binary("LessOrEqual");

/** Both are true; bool tensors. */
export const and = (a: Sym, b: Sym) => apply("And", [a, b], {});
/** At least one is true; bool tensors. */
export const or = (a: Sym, b: Sym) => apply("Or", [a, b], {});
/** Negation of a bool tensor. */
export const not = (x: Sym) => apply("Not", [x], {});

/** a where the condition holds, else b. */
export function where(condition: Sym, a: Operand, b: Operand): Sym {
  return apply("Where", [condition, ...operands(a, b)], {});
}

type UnaryOp =
  | "Neg"
  | "Abs"
  | "Exp"
  | "Log"
  | "Sqrt"
  | "Reciprocal"
  | "Sin"
  | "Cos"
  | "Tanh"
  | "Sigmoid"
  | "Softplus"
  | "Erf"
  | "Relu"
  | "Floor"
  | "Sign";

const unary = (op: UnaryOp) => (x: Sym) => apply(op, [x], {});

/** −x. */
export const neg = unary("Neg");
/** |x|. */
export const abs = unary("Abs");
/** eˣ. */
export const exp = unary("Exp");
/** Natural logarithm. */
export const log = unary("Log");
/** √x. */
export const sqrt = unary("Sqrt");
/** 1 / x. */
export const reciprocal = unary("Reciprocal");
/** Sine of x in radians. */
export const sin = unary("Sin");
/** Cosine of x in radians. */
export const cos = unary("Cos");
/** Hyperbolic tangent. */
export const tanh = unary("Tanh");
/** 1 / (1 + e⁻ˣ). */
export const sigmoid = unary("Sigmoid");
/** ln(1 + eˣ). */
export const softplus = unary("Softplus");
/** Error function. */
export const erf = unary("Erf");
/** ReLU is applied before the reshape of a product, because ONNX Runtime fuses a product and its ReLU. */
export function relu(x: Sym): Sym {
  const { node } = x;
  return isOp(node, "Reshape") ? reshape(apply("Relu", node.inputs, {}), x.shape) : apply("Relu", [x], {});
}
/** Largest integer not above x. */
export const floor = unary("Floor");
/** −1, 0 or 1. */
export const sign = unary("Sign");

/** x·sigmoid(x). */
export const silu = (x: Sym) => mul(x, sigmoid(x));
/**
 * Gaussian error linear unit: by erf, or by the tanh approximation that some checkpoints were trained with.
 */
export const gelu = (x: Sym, approximate: "none" | "tanh" = "none") => apply("Gelu", [x], { approximate });

/** x with another element type. */
export function cast(x: Sym, to: DType): Sym {
  return x.dtype === to ? x : apply("Cast", [x], { to });
}
