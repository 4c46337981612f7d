import { EngineError } from '../../core/errors.ts';
import { shellWords } from '../../core/shell.ts';
import { enteredAs } from '../../host/identity.ts';
import { launch } from '../../host/process.ts';
import type { Engine } from '../../libpod/engine.ts';
import { findImage, lookUpImage, type FoundImage } from '../../libpod/image/find.ts';
import { callerEnvironment } from '../caller-env.ts';
import { defineCommand, type CommandContext } from '../command.ts';
import { removeNamed } from '../creation.ts';
import { engineOptions } from '../engine-options.ts';
import { runlabelFace } from '../faces/container-runlabel.ts';
import type { CreationPull } from '../pulling.ts';
import { proxySignals } from '../streams.ts';

/** Whose command lines lichen speaks. */
const OURS = /^(.*\/)?(podman|docker|lichen)$/;

export const command = defineCommand(runlabelFace, async (context, [label = '', name = '', ...args], flags) => {
  const engine = await context.openEngine();
  const found = (await lookUpImage(engine, name)) ?? (await pulled(context, engine, name, flags));
  const value = found.image.config.config?.Labels?.[label];
  if (value === undefined || value === '')
    throw new EngineError('INVALID_ARGUMENT', `cannot find the value of label: ${label} in image: ${name}`);
  const container = flags.name ?? name.replace(/^.*\//, '').replace(/[:@].*$/, '');
  const [program = '', ...words] = substitute(value, { NAME: container, IMAGE: found.name ?? name });
  const line = [...words, ...args];
  if (flags.display) return context.stdout.line(`command: ${[context.program, ...line].join(' ')}`);
  if (!OURS.test(program)) {
    throw new EngineError('NOT_SUPPORTED', `the label wants to run ${program} on this machine, not a container`, {
      hint: `If you trust it, run it yourself: ${[program, ...line].join(' ')}`,
    });
  }
  if (flags.replace) await removeNamed(engine, container);
  const [self = '', ...globals] = engineOptions(context.globals, context.argv, context.env).self;
  const output = flags.quiet ? 'ignore' : 'inherit';
  const child = await launch(self, [...globals, ...line], {
    stdio: ['inherit', output, 'inherit'],
    env: {
      ...callerEnvironment(context.env),
      ...(engine.identity.rootless && enteredAs(engine.identity)),
    },
  });
  using _signals = proxySignals((signal) => child.kill(signal));
  return (await child.exited).code;
});

async function pulled(context: CommandContext, engine: Engine, image: string, flags: CreationPull['flags']): Promise<FoundImage> {
  const { pullForCreation } = await import('../pulling.ts');
  return findImage(engine, await pullForCreation(context, engine, { image, policy: 'missing', flags }));
}

/** Words as a shell divides them; `NAME`, `$NAME` and `X=NAME` alike (podman-container-runlabel(1)). */
function substitute(line: string, values: Readonly<Record<string, string>>): string[] {
  return shellWords(line).map((word) =>
    word
      .replaceAll(/\$\{?([A-Z_][A-Z0-9_]*)\}?/g, (_, variable: string) => values[variable] ?? '')
      .replace(/^([A-Z]+=)?(NAME|IMAGE)$/, (_, before: string | undefined, variable: string) => `${before ?? ''}${values[variable]}`),
  );
}
