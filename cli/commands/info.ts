import { engineInfo } from '../../libpod/system/info.ts';
import { defineCommand } from '../command.ts';
import { infoFace } from '../faces/info.ts';
import { formatInfo } from '../format/views/info.ts';
import { API_VERSION, VERSION } from '../version.ts';

export const command = defineCommand(infoFace, async (context, _args, { format }) => {
  const engine = await context.openEngine();
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const version = {
    APIVersion: API_VERSION,
    Version: VERSION,
    // Podman's key for what a program was made with; lichen runs on Node.
    GoVersion: `node ${process.version}`,
    GitCommit: '',
    BuiltTime: '',
    Built: 0,
    BuildOrigin: '',
    OsArch: `linux/${architecture}`,
    Os: 'linux',
  };
  context.stdout.write(await formatInfo(await engineInfo(engine, version), format));
});
