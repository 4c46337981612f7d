/** `.quadlets` files: several Quadlet files in one, divided by lines of `---`, each with its name in a comment. */
import { EngineError } from '../../core/errors.ts';
import { GROUP, KINDS } from './keys.ts';

export interface BundledFile {
  readonly name: string;
  readonly text: string;
  /** Lines of the bundle before it. */
  readonly offset: number;
}

/** Throws INVALID_ARGUMENT with the number of the section. */
export function splitBundle(text: string): readonly BundledFile[] {
  const sections: { lines: string[]; offset: number }[] = [{ lines: [], offset: 0 }];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '---') sections.push({ lines: [], offset: index + 1 });
    else sections.at(-1)!.lines.push(line);
  }
  const files = sections
    .filter(({ lines }) => lines.some((line) => line.trim() !== ''))
    .map(({ lines, offset }, index) => bundledFile(lines.join('\n'), offset, index + 1));
  if (files.length === 0) throw new EngineError('INVALID_ARGUMENT', 'no valid quadlet sections found');
  const twice = files.find(({ name }, index) => files.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw new EngineError('INVALID_ARGUMENT', `${twice.name} is there twice`);
  return files;
}

function bundledFile(section: string, offset: number, number: number): BundledFile {
  const name = /^\s*#\s*FileName\s*=\s*(.+?)\s*$/m.exec(section)?.[1];
  if (name === undefined) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `section ${number}: missing required '# FileName=<name>' comment at the beginning of quadlet section`,
    );
  }
  if (!/^[\w@:.-]+$/.test(name) || name.startsWith('.')) {
    throw new EngineError('INVALID_ARGUMENT', `section ${number}: FileName '${name}' cannot be the name of a file`);
  }
  const kind = KINDS.find((one) => new RegExp(String.raw`^\s*\[${GROUP[one]}\]\s*$`, 'm').test(section));
  if (kind === undefined) {
    const groups = KINDS.map((one) => `[${GROUP[one]}]`).join(', ');
    throw new EngineError('INVALID_ARGUMENT', `section ${number}: no Quadlet group`, { hint: `Write one of ${groups}` });
  }
  return { name: `${name}.${kind}`, text: section.endsWith('\n') ? section : `${section}\n`, offset };
}
