import { FreshLayers } from "../../net/nn/init.ts";
import type { Model } from "../model.ts";
import type { SequenceNetwork } from "../sequence-network.ts";
import { chrombpnetLike, chrombpnetLikeLogits } from "./chrombpnet-like.ts";
import { probingHeadLike, probingHeadLikeLogits } from "./probing-head-like.ts";

const probingHeadLikeNetwork: SequenceNetwork = {
  shortest: 9,
  build(sizes) {
    const layers = new FreshLayers();
    const net = probingHeadLike(layers, sizes);
    return { tensors: layers.tensors, logits: (x) => probingHeadLikeLogits(net, x) };
  },
};

const chrombpnetLikeNetwork: SequenceNetwork = {
  shortest: 275,
  build(sizes) {
    const layers = new FreshLayers();
    const net = chrombpnetLike(layers, sizes);
    return { tensors: layers.tensors, logits: (x) => chrombpnetLikeLogits(net, x) };
  },
};

/** Networks that are trained ab initio, as models that answer nothing before. */
export const NETWORKS: readonly (Model & Required<Pick<Model, "network" | "family" | "identity">>)[] = [
  network("probing-head-like", probingHeadLikeNetwork),
  network("chrombpnet-like", chrombpnetLikeNetwork),
];

function network(name: string, net: SequenceNetwork) {
  return { name, family: name, identity: `${name} network version 1`, network: net };
}
