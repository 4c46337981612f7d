import { noArguments } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { flagTable } from '../flag.ts';
import { formatVersion } from '../format/views/version.ts';
import { API_VERSION, VERSION, versionDocument } from '../version.ts';

export const command = defineCommand(
  {
    usage: '[options]',
    summary: 'Show the version',
    examples: ['version', 'version --format json'],
    flags: flagTable({ format: { kind: 'string', short: 'f', help: 'Print as JSON or by a Go template', complete: 'none' } }),
    args: noArguments,
  },
  async (context, _args, { format }) => {
    const document = versionDocument(context.program);
    const labels = {
      Version: document.Version,
      'API Version': API_VERSION,
      ...(document.Version === VERSION ? {} : { Lichen: VERSION }),
      'Node Version': process.version,
      'OS/Arch': document.OsArch,
    };
    const client = { engine: 'Lichen Engine', labels, document };
    context.stdout.write(await formatVersion(client, format));
  },
);
