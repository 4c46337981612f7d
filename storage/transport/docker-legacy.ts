/** Layers as Docker before 1.10 knew them: images of their own, each with a parent. Podman still writes them, and so do we, to the same ids. */
import { hash } from 'node:crypto';
import { digestFromHex, digestHex, type Digest } from '../../core/digest.ts';
import { parseJson } from '../../core/json.ts';

export interface LegacyLayer {
  /** 64 hex digits. */
  readonly id: string;
  readonly layer: Digest;
  readonly json: Buffer;
}

/** What the last of them says of the image; null where the config says nothing. */
const KEPT = ['architecture', 'config', 'container', 'container_config', 'created', 'docker_version', 'os'];

/** `layers`: diff-ids, lowest first. `config`: the image's. Throws IMAGE_CORRUPT. */
export function legacyLayers(layers: readonly Digest[], config: Buffer): readonly LegacyLayer[] {
  const image = parseJson(config, 'image config') as Readonly<Record<string, unknown>>;
  const made: LegacyLayer[] = [];
  let chain: Digest | undefined;
  for (const [index, layer] of layers.entries()) {
    // Docker's chain id: equal layers on different parents are different.
    chain = chain === undefined ? layer : digestFromHex(hash('sha256', `${chain} ${layer}`, 'hex'));
    const parent = made.at(-1)?.id;
    const facts: Record<string, unknown> = {
      ...(parent === undefined ? {} : { parent }),
      ...(index === layers.length - 1 ? Object.fromEntries(KEPT.map((key) => [key, image[key] ?? null])) : {}),
    };
    const id = digestHex(digestFromHex(hash('sha256', encode({ ...facts, layer_id: chain }), 'hex')));
    made.push({ id, layer, json: Buffer.from(encode({ ...facts, id })) });
  }
  return made;
}

/** As Go encodes a map: sorted keys, and <, >, & escaped. */
function encode(facts: Readonly<Record<string, unknown>>): string {
  const sorted = Object.fromEntries(Object.entries(facts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(sorted).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
