/** `search`: its columns, template fields and JSON. */
import type { SearchResult } from '../../../libpod/registry/search.ts';
import { encodeJson, FOUR_SPACES } from '../json.ts';
import type { View } from '../report.ts';
import { GoStruct } from '../template/value.ts';

const DESCRIPTION_BYTES = 44;
const YES = '[OK]';

export function searchColumns(options: { readonly listTags: boolean; readonly compatible: boolean }): readonly string[] {
  if (options.listTags) return ['Name', 'Tag'];
  return ['Name', 'Description', ...(options.compatible ? ['Stars', 'Official', 'Automated'] : [])];
}

export function searchView({ noTrunc }: { readonly noTrunc: boolean }): View<SearchResult> {
  const shown = (row: SearchResult): SearchResult => (noTrunc ? row : { ...row, description: shortened(row.description) });
  return {
    name: 'search',
    headers: {
      Index: 'INDEX',
      Name: 'NAME',
      Description: 'DESCRIPTION',
      Stars: 'STARS',
      Official: 'OFFICIAL',
      Automated: 'AUTOMATED',
      Tag: 'TAG',
    },
    cells: {
      Name: (row) => row.name,
      Description: (row) => shown(row).description,
      Stars: (row) => String(row.stars),
      Official: (row) => (row.official ? YES : ''),
      Automated: (row) => (row.automated ? YES : ''),
      Tag: (row) => row.tag,
    },
    data: (row) => new GoStruct('types.ImageSearchReport', document(shown(row))),
  };
}

/** `--format json`. Ends with a newline. */
export function searchJson(rows: readonly SearchResult[]): string {
  return `${encodeJson(rows.map(document), FOUR_SPACES)}\n`;
}

/** `--list-tags --format json`: one entry for each repository. */
export function tagsJson(rows: readonly SearchResult[]): string {
  const tags = new Map<string, string[]>();
  for (const { name, tag } of rows) {
    const known = tags.get(name);
    if (known) known.push(tag);
    else tags.set(name, [tag]);
  }
  return `${encodeJson(
    [...tags].map(([Name, Tags]) => ({ Name, Tags })),
    FOUR_SPACES,
  )}\n`;
}

function document({ registry, name, description, stars, official, automated, tag }: SearchResult): Readonly<Record<string, unknown>> {
  return {
    Index: registry,
    Name: name,
    Description: description,
    Stars: stars,
    Official: official ? YES : '',
    Automated: automated ? YES : '',
    Tag: tag,
  };
}

/** Podman counts bytes; a character is not cut in two here. */
function shortened(description: string): string {
  const bytes = Buffer.from(description);
  if (bytes.length <= DESCRIPTION_BYTES) return description;
  const cut = new TextDecoder().decode(bytes.subarray(0, DESCRIPTION_BYTES), { stream: true });
  return `${cut.trim()}...`;
}
