/** `version`. */
import { COMPACT_ESCAPED, encodeJson } from '../json.ts';
import { formatOne, isJsonFormat } from '../report.ts';
import { GoStruct } from '../template/value.ts';
import { isEngineError } from '../../../core/errors.ts';

/** One program's version under Podman's names; `labels` are the rows of the text form, `Version:` and the like. */
export interface ClientVersion {
  readonly engine: string;
  readonly labels: Readonly<Record<string, string>>;
  /** For JSON and templates. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** With the last newline. Throws INVALID_TEMPLATE. */
export async function formatVersion(client: ClientVersion, format: string | undefined): Promise<string> {
  if (format === undefined || format === '') return versionText(client);
  if (isJsonFormat(format)) return `${encodeJson({ Client: client.document }, COMPACT_ESCAPED)}\n`;
  const version = new GoStruct('*define.Version', client.document);
  try {
    return await formatOne(
      'version',
      format,
      new GoStruct('*types.SystemVersionReport', { Client: version, Server: null }, { json: { Client: client.document } }),
    );
  } catch (error) {
    if (!isEngineError(error, 'INVALID_TEMPLATE')) throw error;
    // Old formats name the client's fields directly: {{.Version}}. Those of a server, which there is none of, are the client's.
    return formatOne('version', format.replaceAll('.Server.', '.'), version);
  }
}

const LABEL_WIDTH = 15;

function versionText(client: ClientVersion): string {
  const rows = [['Client', client.engine], ...Object.entries(client.labels)];
  return rows.map(([label, value]) => `${`${label}:`.padEnd(LABEL_WIDTH)}${value}\n`).join('');
}
