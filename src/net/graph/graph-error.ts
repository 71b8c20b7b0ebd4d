import { InputError } from "../../base/errors.ts";

/**
 * A mistake in a graph, or in the arrays given to it: shapes or types that do not match, a parameter without
 * values. The message names the op and the types of its inputs.
 */
export class GraphError extends InputError {}
