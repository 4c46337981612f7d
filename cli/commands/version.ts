import { noArguments } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { flagTable } from '../flag.ts';
import { formatVersion } from '../format/views/version.ts';
import { API_VERSION, VERSION } from '../version.ts';

export const command = defineCommand(
  {
    usage: '[options]',
    summary: 'Show the version',
    examples: ['version', 'version --format json'],
    flags: flagTable({ format: { kind: 'string', short: 'f', help: 'Print as JSON or by a Go template', complete: 'none' } }),
    args: noArguments,
  },
  async (context, _args, { format }) => {
    const osArch = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;
    const client = {
      engine: 'Lichen Engine',
      labels: { Version: VERSION, 'API Version': API_VERSION, 'Node Version': process.version, 'OS/Arch': osArch },
      document: { APIVersion: API_VERSION, Version: VERSION, NodeVersion: process.version, OsArch: osArch, Os: 'linux' },
    };
    context.stdout.write(await formatVersion(client, format));
  },
);
