/** `image trust show`. */
import type { TrustRow } from '../../../libpod/registry/trust.ts';
import { encodeJson, type JsonStyle } from '../json.ts';
import { formatTable } from '../table.ts';

const HEADING = ['TRANSPORT', 'NAME', 'TYPE', 'ID', 'STORE'];
const TWO_SPACES: JsonStyle = { indent: '  ', escapeHtml: true, loose: false };

export function trustTable(rows: readonly TrustRow[], options: { readonly heading: boolean }): string {
  const body = rows.map(({ transport, scope, type, id, store }) => [transport, scope, type, id, store]);
  return formatTable(options.heading ? [HEADING, ...body] : body);
}

/** Empty fields are left out. */
export function trustJson(rows: readonly TrustRow[]): string {
  const documents = rows.map(({ transport, scope, type, id, store }) => ({
    transport,
    name: transport === 'all' ? '* (default)' : scope || undefined,
    repo_name: scope || undefined,
    sigstore: store || undefined,
    type,
    gpg_id: id || undefined,
  }));
  return `${encodeJson(documents, TWO_SPACES)}\n`;
}
