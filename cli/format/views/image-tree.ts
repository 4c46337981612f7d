/** `image tree`: the layers as lines of a tree. */
import { shortId } from '../../../core/id.ts';
import { humanSize } from '../../../core/size.ts';
import type { ImageTreeSummary, TreeLayer } from '../../../libpod/summary.ts';

/** Ends with an empty line, as Podman's does. */
export function formatImageTree({ id, tags, sizeBytes, layers }: ImageTreeSummary): string {
  return [
    `Image ID: ${shortId(id)}`,
    `Tags:     [${tags.join(' ')}]`,
    `Size:     ${humanSize(sizeBytes, 4)}`,
    layers.length > 0 ? 'Image Layers' : 'No Image Layers',
    ...lines(
      layers.flatMap((layer) => level(layer, false)),
      '',
    ),
    '\n',
  ].join('\n');
}

interface Branch {
  readonly text: string;
  readonly below: readonly Branch[];
}

/** Layers that follow each other stand side by side; only where ways part does each of them get a level of its own. */
function level(layer: TreeLayer, isFork: boolean): readonly Branch[] {
  const above = layer.children.flatMap((child) => level(child, layer.children.length > 1));
  return isFork ? [{ text: label(layer), below: above }] : [{ text: label(layer), below: [] }, ...above];
}

function label({ id, sizeBytes, tags }: TreeLayer): string {
  const top = tags.length > 0 ? ` Top Layer of: [${tags.join(' ')}]` : '';
  return `ID: ${shortId(id)} Size: ${humanSize(sizeBytes, 4).padStart(7)}${top}`;
}

function lines(branches: readonly Branch[], indent: string): readonly string[] {
  return branches.flatMap(({ text, below }, place) => {
    const isLast = place === branches.length - 1;
    return [`${indent}${isLast ? '└── ' : '├── '}${text}`, ...lines(below, `${indent}${isLast ? '    ' : '│   '}`)];
  });
}
