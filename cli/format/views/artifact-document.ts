import { documentData } from '../document.ts';
import type { GoStruct } from '../template/value.ts';

/** An artifact's document as templates see it. */
export function artifactData(document: object): GoStruct {
  return documentData(document, {
    type: 'interface {}',
    types: { Manifest: '*v1.Manifest', config: 'v1.Descriptor', layers: 'v1.Descriptor', subject: '*v1.Descriptor' },
    maps: new Set(['annotations']),
    lists: new Set(['layers']),
    times: new Set(),
    fieldName: (key) => (key === 'urls' ? 'URLs' : `${key[0]!.toUpperCase()}${key.slice(1)}`),
    defaults: {
      '*v1.Manifest': { ArtifactType: '', Subject: null, Annotations: new Map() },
      'v1.Descriptor': { URLs: [], Annotations: new Map(), Data: [], Platform: null, ArtifactType: '' },
    },
    aliases: {},
  });
}
