/**
 * The layers of all images as a tree: images that begin with the same layers share their nodes. Pure.
 * A node is called as Podman calls its layers: the diff-id of the lowest one, then the hash of the parent's name and the diff-id above it.
 */
import { hash } from 'node:crypto';
import { digestHex, type Digest } from '../../core/digest.ts';
import type { ImageRecord } from '../state/images.ts';

export interface LayerNode {
  /** 64 hex digits. */
  readonly id: string;
  readonly diffId: Digest;
  readonly parent: LayerNode | undefined;
  readonly children: readonly LayerNode[];
  /** Those whose topmost layer this is, the one that came first into the store first. */
  readonly images: readonly LayeredImage[];
}

export type LayeredImage = Pick<ImageRecord, 'id' | 'layers' | 'names' | 'storedMs'>;

/** The node of every image's topmost layer, by image id; an image without layers has none. */
export function layerTree(images: readonly LayeredImage[]): ReadonlyMap<string, LayerNode> {
  const nodes = new Map<string, GrowingNode>();
  const tops = new Map<string, LayerNode>();
  for (const image of images.toSorted((a, b) => a.storedMs - b.storedMs)) {
    let node: GrowingNode | undefined;
    for (const diffId of image.layers) node = nodeAbove(nodes, node, diffId);
    if (!node) continue;
    node.images.push(image);
    tops.set(image.id, node);
  }
  return tops;
}

/** From the lowest layer to this one. */
export function pathTo(node: LayerNode): readonly LayerNode[] {
  const path: LayerNode[] = [];
  for (let at: LayerNode | undefined = node; at; at = at.parent) path.unshift(at);
  return path;
}

/** Names with a tag of the images that end here. */
export function tagsAt(node: LayerNode): readonly string[] {
  return node.images.flatMap(({ names }) => names.filter((name) => !name.includes('@')));
}

interface GrowingNode extends LayerNode {
  readonly children: GrowingNode[];
  readonly images: LayeredImage[];
}

function nodeAbove(nodes: Map<string, GrowingNode>, parent: GrowingNode | undefined, diffId: Digest): GrowingNode {
  const id = parent === undefined ? digestHex(diffId) : hash('sha256', `${parent.id}+${digestHex(diffId)}`, 'hex');
  const known = nodes.get(id);
  if (known) return known;
  const node: GrowingNode = { id, diffId, parent, children: [], images: [] };
  parent?.children.push(node);
  nodes.set(id, node);
  return node;
}
