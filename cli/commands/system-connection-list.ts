import { Connections, type Connection } from '../../libpod/system/connections.ts';
import { defineCommand } from '../command.ts';
import { systemConnectionListFace } from '../faces/system-connection-list.ts';
import { encodeJson, FOUR_SPACES } from '../format/json.ts';
import { formatReport, isJsonFormat, type View } from '../format/report.ts';
import { GoStruct } from '../format/template/value.ts';

const COLUMNS = ['Name', 'URI', 'Identity', 'Default', 'ReadWrite'] as const;

function fields({ name, uri, identity, isDefault }: Connection) {
  return { Name: name, URI: uri, Identity: identity, Default: isDefault, ReadWrite: true };
}

const VIEW: View<Connection> = {
  name: 'list',
  headers: { Name: 'Name', URI: 'URI', Identity: 'Identity', Default: 'Default', ReadWrite: 'ReadWrite' },
  cells: Object.fromEntries(COLUMNS.map((column) => [column, (row: Connection) => String(fields(row)[column])])),
  data: (row) => new GoStruct('config.Connection', fields(row)),
};

export const command = defineCommand(systemConnectionListFace, async (context, _args, { format, quiet }) => {
  const rows = new Connections((await context.openEngine()).paths.config, context.env).list();
  if (quiet) return context.stdout.write(rows.map(({ name }) => `${name}\n`).join(''));
  if (format !== undefined && isJsonFormat(format)) {
    const documents = rows.map(fields).map(({ Identity, ...rest }) => ({ ...rest, ...(Identity !== '' && { Identity }) }));
    return context.stdout.write(`${encodeJson(documents, FOUR_SPACES)}\n`);
  }
  context.stdout.write(await formatReport(VIEW, rows, { columns: COLUMNS, heading: true, ...(format ? { format } : {}) }));
});
