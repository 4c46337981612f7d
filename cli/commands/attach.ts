import { EngineError } from '../../core/errors.ts';
import { latestContainer } from '../../libpod/container/select.ts';
import { settled } from '../../libpod/container/wait.ts';
import { defineCommand } from '../command.ts';
import { attachFace } from '../faces/attach.ts';
import { foregroundAttach } from '../foreground.ts';
import { attachedStreams } from '../wish/streams.ts';

export const command = defineCommand(attachFace, async (context, [name = ''], flags) => {
  const engine = await context.openEngine();
  const record = flags.latest ? latestContainer(engine) : engine.containers.find(name);
  const now = await settled(engine, record);
  if (now?.status !== 'running') {
    throw new EngineError('WRONG_STATE', `attaching to container ${record.id}: you can only attach to running containers`);
  }
  await foregroundAttach(engine, now, {
    streams: attachedStreams([], !flags['no-stdin']),
    detachKeys: flags['detach-keys'],
    proxySignals: flags['sig-proxy'],
  });
  // As Podman ends: with an empty line and 0, however the container ended.
  context.stdout.line('');
});
