/** How a step is told in an image's history: Podman's words. */
import type { Instruction } from './dockerfile/scan.ts';
import type { StatementOf } from './dockerfile/statement.ts';
import type { MetadataStatement } from './metadata.ts';

/** `declared`: all ARGs so far, which is what Podman tells of each. */
export function metadataHistory(statement: MetadataStatement, declared: ReadonlySet<string>): string {
  const { at } = statement;
  if (statement.kind === 'arg') return nop('ARG', [...declared].toSorted().join(' '));
  return nop(at.typedName, afterName(at));
}

/** `args`: with the values that a program of the step sees. */
export function runHistory({ at, heredocs }: StatementOf<'run'>, args: ReadonlyMap<string, string>): string {
  const told =
    args.size === 0
      ? ''
      : `|${args.size} ${[...args]
          .map(([name, value]) => `${name}=${value}`)
          .toSorted()
          .join(' ')} `;
  const documents = heredocs.map(({ content }) => `\n${content.trimEnd()}`).join('');
  return `${told}/bin/sh -c ${afterName(at)}${documents}`;
}

/** `digest` tells what was copied, whatever it is called; `to` is absolute. */
export function transferHistory(
  { at, rawDestination, link }: StatementOf<'copy' | 'add'>,
  { kind, digest, to }: { readonly kind: 'file' | 'dir' | 'multi'; readonly digest: string; readonly to: string },
): string {
  return link ? nop(at.name, `--link ${kind}:${digest} in ${to}`) : nop(at.name, `${kind}:${digest} in ${rawDestination}`);
}

function afterName({ text, typedName }: Instruction): string {
  return text.slice(typedName.length).trim();
}

function nop(name: string, rest: string): string {
  return `/bin/sh -c #(nop) ${name} ${rest}`.trimEnd();
}
