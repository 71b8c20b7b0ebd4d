import { InputError, InternalError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { version } from "../../base/package.ts";
import { withoutUndefined } from "../../base/record.ts";
import type { Model, SequenceEmbedding } from "../model.ts";
import {
  ADAPTER_PROTOCOL,
  type Channel,
  type Handshake,
  type Hello,
  MAX_RESPONSE_BYTES,
  parseAlleles,
  parseEmbeddings,
  parseHello,
  parseValues,
} from "./adapter-protocol.ts";
import { openHttpChannel } from "./http-channel.ts";
import { openStdioChannel } from "./stdio-channel.ts";

/** Limit of the response to `hello` in seconds: loading a model from a network disk is slow. */
const HELLO_SECONDS = 280;
/** Default of `secondsPerAnswer`. */
const USUAL_SECONDS = 240;
/** Default of `batchSize`. */
const USUAL_BATCH = 32;

/**
 * A model evaluated by a program over standard input and output: `python3 adapter.py`. See docs/adapters.md.
 */
export function openStdioModel(command: string, signal?: AbortSignal): Promise<Model> {
  return openAdapter((greet) => openStdioChannel(command, greet), signal);
}

/** A model evaluated by a server over HTTP. */
export function openHttpModel(address: string, signal?: AbortSignal): Promise<Model> {
  return openAdapter((greet) => openHttpChannel(address, greet), signal);
}

/**
 * A model behind a channel, with the methods that the adapter's response to `hello` lists.
 *
 * @param signal  stops waiting for an adapter that is still starting
 * @throws {InputError} when the response to `hello` is invalid, or differs after a restart
 */
export async function openAdapter(
  open: (greet: Handshake) => Promise<Channel>,
  signal?: AbortSignal,
): Promise<Model> {
  let hello: Hello | undefined;
  const channel = await open(async (ask) => {
    const response = await ask(
      { ask: "hello", protocol: ADAPTER_PROTOCOL, client: `dart-eval ${version}` },
      { seconds: HELLO_SECONDS, signal },
    );
    const now = parseHello(response);
    if (hello !== undefined && !isSameModel(hello, now)) {
      throw response.refused(
        `after a restart it is ${JSON.stringify(now.name)}, ${now.identity ?? "without identity"}; it was ${JSON.stringify(hello.name)}, ${hello.identity ?? "without identity"}`,
      );
    }
    hello = now;
  });
  if (hello === undefined) throw new InternalError("the channel opened without hello");
  return modelOf(hello, channel);
}

function isSameModel(a: Hello, b: Hello): boolean {
  const facts = ({ name, identity, answers }: Hello) => stableStringify([name, identity ?? null, answers]);
  return facts(a) === facts(b);
}

function modelOf(hello: Hello, channel: Channel): Model {
  const { name, identity, kind, tokens, width, scoreRounding } = hello;
  const { batchSize = USUAL_BATCH, secondsPerAnswer = USUAL_SECONDS } = hello;
  const limits = (signal: AbortSignal | undefined) => ({ seconds: secondsPerAnswer, signal });
  const answers = new Set(hello.answers);
  return {
    name,
    batchSize,
    ...(identity === undefined ? {} : { identity: `adapter ${identity}` }),
    ...withoutUndefined({ kind, tokens, width, scoreRounding }),
    close: () => channel.close(),
    ...(answers.has("log-likelihood") && {
      async logLikelihood(sequences, { signal }) {
        checkLengths(hello, sequences);
        const response = await channel.ask({ ask: "log-likelihood", sequences }, limits(signal));
        return parseValues(response, sequences.length);
      },
    }),
    ...(answers.has("activity") && {
      async predictActivity(sequences, { signal }) {
        checkLengths(hello, sequences);
        const response = await channel.ask({ ask: "activity", sequences }, limits(signal));
        return parseValues(response, sequences.length);
      },
    }),
    ...(answers.has("embeddings") && {
      async embed(sequences, { signal }) {
        checkLengths(hello, sequences);
        const embeddings: SequenceEmbedding[] = [];
        for (const some of requestsOfEmbeddings(sequences, width)) {
          const response = await channel.ask({ ask: "embeddings", sequences: some }, limits(signal));
          embeddings.push(...parseEmbeddings(response, some, width));
        }
        return embeddings;
      },
    }),
    ...(answers.has("alleles") && {
      async compareAlleles(pairs, { signal }) {
        checkLengths(hello, pairs.flat());
        const response = await channel.ask({ ask: "alleles", pairs }, limits(signal));
        return parseAlleles(response, pairs.length);
      },
    }),
  };
}

/** Tokens of a sequence without bases, such as [CLS], at most. */
const SPECIAL_TOKENS = 16;
/** Characters of a token's `start` and `end` in a response, at most. */
const SPAN_CHARACTERS = 20;

/**
 * Splits sequences so that the states of each request, in base64 and with a token per base, fit into a
 * response.
 *
 * @param width  numbers per state; undefined: one request
 */
function requestsOfEmbeddings(
  sequences: readonly string[],
  width: number | undefined,
): readonly (readonly string[])[] {
  if (width === undefined) return [sequences];
  const requests: string[][] = [];
  let room = 0;
  for (const sequence of sequences) {
    const characters = (sequence.length + SPECIAL_TOKENS) * (Math.ceil((16 * width) / 3) + SPAN_CHARACTERS);
    if (characters > room) {
      requests.push([]);
      room = MAX_RESPONSE_BYTES;
    }
    requests[requests.length - 1].push(sequence);
    room -= characters;
  }
  return requests;
}

function checkLengths({ name, longestSequence = Infinity }: Hello, sequences: readonly string[]) {
  const long = sequences.findIndex(({ length }) => length > longestSequence);
  if (long < 0) return;
  throw new InputError(
    `sequence ${long} has ${sequences[long].length} bases, but ${name} takes at most ${longestSequence}`,
    { hint: "choose a model with a longer context, a smaller --context or a task with shorter windows" },
  );
}
