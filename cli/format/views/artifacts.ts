/** `artifact ls`. */
import { digestHex } from '../../../core/digest.ts';
import { shortId } from '../../../core/id.ts';
import { humanSize } from '../../../core/size.ts';
import type { ArtifactRecord } from '../../../libpod/state/artifacts.ts';
import { formatAgo } from '../human.ts';
import { encodeJson, FOUR_SPACES } from '../json.ts';
import type { View } from '../report.ts';
import { GoStruct } from '../template/value.ts';

export const ARTIFACT_COLUMNS = ['Repository', 'Tag', 'Digest', 'Created', 'Size'] as const;

export function artifactsView(options: { readonly nowMs: number; readonly noTrunc: boolean }): View<ArtifactRecord> {
  const cells: Readonly<Record<string, (row: ArtifactRecord) => string>> = {
    Digest: ({ digest }) => (options.noTrunc ? digestHex(digest) : shortId(digestHex(digest))),
    Repository: ({ name }) => splitName(name).repository,
    Size: ({ sizeBytes }) => humanSize(sizeBytes, 4),
    Tag: ({ name }) => splitName(name).tag,
    VirtualSize: ({ sizeBytes }) => String(sizeBytes),
    Created: ({ created }) => (Number.isNaN(Date.parse(created)) ? '' : formatAgo(Date.parse(created), options.nowMs)),
  };
  return {
    name: 'ls',
    headers: { Created: 'CREATED', Digest: 'DIGEST', Repository: 'REPOSITORY', Size: 'SIZE', Tag: 'TAG', VirtualSize: 'VIRTUAL SIZE' },
    cells,
    data: (row) => {
      const fields = Object.fromEntries(Object.entries(cells).map(([field, cell]) => [field, cell(row)]));
      const { Created: _created, ...json } = fields;
      return new GoStruct('artifact.artifactListOutput', fields, { json });
    },
  };
}

/** `--format json`: Podman prints the word `json` there. */
export function artifactsJson(view: View<ArtifactRecord>, rows: readonly ArtifactRecord[]): string {
  return `${encodeJson(
    rows.map((row) => ({ Name: row.name, ...(view.data(row).json as object), Digest: row.digest, Created: row.created })),
    FOUR_SPACES,
  )}\n`;
}

/** Names are as they were typed: what follows the last colon of the last part is a tag; a digest is not shown. */
function splitName(name: string): { repository: string; tag: string } {
  const [plain] = name.split('@', 1) as [string];
  const colon = plain.lastIndexOf(':');
  if (colon <= plain.lastIndexOf('/')) return { repository: plain, tag: '' };
  return { repository: plain.slice(0, colon), tag: plain.slice(colon + 1) };
}
