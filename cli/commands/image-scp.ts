import { copyBetween } from '../../libpod/image/scp.ts';
import { parseScpEnds } from '../../libpod/image/scp-ends.ts';
import { callerEnvironment } from '../caller-env.ts';
import { defineCommand } from '../command.ts';
import { engineOptions } from '../engine-options.ts';
import { imageScpFace } from '../faces/image-scp.ts';

export const command = defineCommand(imageScpFace, async ({ globals, argv, env }, [first, second], { quiet }) => {
  const ends = parseScpEnds(first!, second);
  const { self } = engineOptions(globals, argv.slice(1), env);
  await copyBetween({ ...ends, quiet, self, env: callerEnvironment(env) });
});
