/** `--security-opt`. */
import type { ContainerWish, SecurityWish } from '../wish.ts';
import { invalid } from './go.ts';

/** All `--security-opt` flags together. `key=value`, `key:value` is Docker's older form. Throws INVALID_ARGUMENT. */
export function parseSecurityOptions(texts: readonly string[]): SecurityWish {
  const labels: string[] = [];
  const mask: string[] = [];
  const unmask: string[] = [];
  let found: SecurityWish = { asTyped: texts };
  for (const text of texts) {
    const [key, value] = splitOption(text);
    if (key === 'no-new-privileges') found = { ...found, noNewPrivileges: value === undefined || value === 'true' };
    else if (value === undefined) throw malformed(1, text);
    else if (key === 'label') labels.push(value);
    else if (key === 'apparmor') found = { ...found, apparmor: value };
    else if (key === 'seccomp') found = { ...found, seccomp: value };
    else if (key === 'proc-opts') found = { ...found, procOpts: value.split(',') };
    else if (key === 'mask') mask.push(...value.split(':'));
    else if (key === 'unmask') unmask.push(...(value === 'ALL' || value === 'all' ? ['ALL'] : value.split(':')));
    else if (key === 'systempaths' && value === 'unconfined') unmask.push('ALL');
    else throw malformed(2, text);
  }
  return {
    ...found,
    ...(labels.length > 0 && { labels }),
    ...(mask.length > 0 && { mask }),
    ...(unmask.length > 0 && { unmask }),
  };
}

function splitOption(text: string): [key: string, value: string | undefined] {
  const at = text.search(/[=:]/);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Podman's number says what is wrong: 1 no value, 2 an unknown key. */
function malformed(kind: 1 | 2, text: string): Error {
  return invalid(`invalid --security-opt ${kind}: ${JSON.stringify(text)}`);
}

/** Throws INVALID_ARGUMENT. */
export function parseSeccompPolicy(text: string): NonNullable<ContainerWish['seccompPolicy']> {
  if (text === 'default' || text === 'image') return text;
  throw invalid(`invalid seccomp policy ${JSON.stringify(text)}: valid policies are ["default" "image"]`);
}
