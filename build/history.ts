/** How a step is told in an image's history: Podman's words. */
import type { Instruction } from './dockerfile/scan.ts';
import type { StatementOf } from './dockerfile/statement.ts';
import type { MetadataStatement } from './metadata.ts';

export function metadataHistory(statement: MetadataStatement): string {
  const { at } = statement;
  if (statement.kind === 'arg') return nop('ARG', statement.args.map(({ name }) => name).join(' '));
  return nop(at.name, afterName(at));
}

export function runHistory({ at, heredocs }: StatementOf<'run'>, args: ReadonlyMap<string, string>): string {
  const told = args.size === 0 ? '' : `|${args.size} ${[...args].map(([name, value]) => `${name}=${value}`).join(' ')} `;
  const documents = heredocs
    .map(({ content }) => `\n${content}`)
    .join('')
    .trimEnd();
  return `${told}/bin/sh -c ${afterName(at)}${documents}`;
}

/** `digest` tells what was copied, whatever it is called. */
export function transferHistory(
  { at, rawDestination }: StatementOf<'copy' | 'add'>,
  kind: 'file' | 'dir' | 'multi',
  digest: string,
): string {
  return nop(at.name, `${kind}:${digest} in ${rawDestination}`);
}

function afterName({ text, typedName }: Instruction): string {
  return text.slice(typedName.length).trim();
}

function nop(name: string, rest: string): string {
  return `/bin/sh -c #(nop) ${name} ${rest}`.trimEnd();
}
