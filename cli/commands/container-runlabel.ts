import { EngineError } from '../../core/errors.ts';
import { findImage } from '../../libpod/image/find.ts';
import { defineCommand } from '../command.ts';
import { runlabelFace } from '../faces/container-runlabel.ts';

export const command = defineCommand(runlabelFace, async (context, [label = '', name = '', ...args], flags) => {
  const engine = await context.openEngine();
  const { image } = await findImage(engine, name);
  const value = image.config.config?.Labels?.[label];
  if (value === undefined || value === '')
    throw new EngineError('INVALID_ARGUMENT', `cannot find the value of label: ${label} in image: ${name}`);
  const shownName = flags.name ?? name.replace(/^.*\//, '').replace(/[:@].*$/, '');
  const line = [value.replaceAll(/\$\{?NAME\}?/g, shownName).replaceAll(/\$\{?IMAGE\}?|\bIMAGE\b/g, name), ...args].join(' ');
  if (!flags.display)
    throw new EngineError('NOT_SUPPORTED', 'a command out of an image is not run on the host', {
      hint: `If you trust it, run it yourself: ${JSON.stringify(line)}`,
    });
  context.stdout.line(`command: ${line}`);
});
