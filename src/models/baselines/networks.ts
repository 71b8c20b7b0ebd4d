import { FreshLayers } from "../../net/nn/init.ts";
import type { Model } from "../model.ts";
import type { SequenceNetwork } from "../sequence-network.ts";
import { CHROMBPNET_LIKE_LAYERS, chrombpnetLike, chrombpnetLikeLogits } from "./chrombpnet-like.ts";
import { PROBING_HEAD_LIKE_LAYERS, probingHeadLike, probingHeadLikeLogits } from "./probing-head-like.ts";

const probingHeadLikeNetwork: SequenceNetwork = {
  shortest: 9,
  build(sizes) {
    const layers = new FreshLayers();
    const net = probingHeadLike(layers, sizes);
    const { tensors } = layers;
    return {
      tensors,
      originalLayers: PROBING_HEAD_LIKE_LAYERS,
      logits: (x) => probingHeadLikeLogits(net, x),
    };
  },
};

const chrombpnetLikeNetwork: SequenceNetwork = {
  shortest: 275,
  build(sizes) {
    const layers = new FreshLayers();
    const net = chrombpnetLike(layers, sizes);
    const { tensors } = layers;
    return { tensors, originalLayers: CHROMBPNET_LIKE_LAYERS, logits: (x) => chrombpnetLikeLogits(net, x) };
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
