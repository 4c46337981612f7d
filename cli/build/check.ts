/** `build --check`, and what a file with `# check=error=true` is refused for. */
import { checkDockerfile, formatWarning, type Warning } from '../../build/dockerfile/check.ts';
import { orAbsent } from '../../core/errors.ts';
import type { Engine } from '../../libpod/engine.ts';
import { lookUpImage } from '../../libpod/image/find.ts';
import type { Printer } from '../print.ts';
import type { BuildPlace } from './place.ts';

/** What is said of variables goes by the base images that are here; none is pulled for it. */
export async function warningsOf(engine: Engine, { dockerfile, context }: BuildPlace): Promise<readonly Warning[]> {
  const variables = new Map<string, readonly string[]>();
  for (const statement of dockerfile.statements) {
    if (statement.kind !== 'from' || statement.raw.includes('$')) continue;
    const found = await orAbsent(() => lookUpImage(engine, statement.raw), 'INVALID_REFERENCE');
    if (found !== undefined)
      variables.set(
        statement.raw,
        (found.image.config.config?.Env ?? []).map((variable) => variable.split('=')[0]!),
      );
  }
  return checkDockerfile(dockerfile, { isIgnored: (path) => context.rules.isLeftOut(path), variablesOf: (image) => variables.get(image) });
}

/** Resolves with the exit status, which is Docker's. */
export function tellWarnings(stdout: Printer, warnings: readonly Warning[]): number {
  if (warnings.length === 0) {
    stdout.line('Check complete, no warnings found.');
    return 0;
  }
  stdout.line(`Check complete, ${warnings.length} warning${warnings.length === 1 ? ' has' : 's have'} been found!`);
  for (const warning of warnings) stdout.line(`\n${formatWarning(warning)}`);
  return 1;
}
