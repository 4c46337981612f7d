import { expect, test } from 'vitest';
import { parseDigest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { throwFailures } from '../../cli/failures.ts';
import type { Printer } from '../../cli/print.ts';
import { copyProgress, describeLayer } from '../../cli/progress.ts';

const digest = parseDigest(`sha256:${'ab'.repeat(32)}`);

function printer(terminal: boolean): Printer & { text: string } {
  return {
    text: '',
    fd: 2,
    write(text) {
      this.text += text.toString();
    },
    line(text) {
      this.text += `${text}\n`;
    },
    isTerminal: () => terminal,
    columns: () => (terminal ? 80 : undefined),
  };
}

test('a layer under way shows how much of it is here', () => {
  expect(describeLayer(digest, { done: 500, total: 1000, present: false })).toBe(
    `Copying blob abababababab [${'='.repeat(15)}>${' '.repeat(15)}] 500B / 1kB`,
  );
  expect(describeLayer(digest, { done: 500, total: 1000, present: false, startedAtMs: 1000 }, 1250)).toBe(
    `Copying blob abababababab [${'='.repeat(15)}>${' '.repeat(15)}] 500B / 1kB | 2kB/s`,
  );
  expect(describeLayer(digest, { done: 500, total: 1000, present: false, startedAtMs: 1000 }, 1010)).not.toContain('/s');
  expect(describeLayer(digest, { done: 1000, total: 1000, present: false })).toBe('Copying blob abababababab done   |');
  expect(describeLayer(digest, { done: 0, total: 1000, present: true })).toBe('Copying blob abababababab skipped: already exists');
});

test('without a terminal each event is a plain line, and bytes are not counted', () => {
  const stderr = printer(false);
  const show = copyProgress({ stderr }, { quiet: false })!;
  show({ kind: 'signatures' });
  show({ kind: 'blob', digest, total: 10, present: false });
  show({ kind: 'layer', digest, total: 10, done: 5 });
  show({ kind: 'manifest' });
  expect(stderr.text).toBe(`Getting image source signatures\nCopying blob ${digest}\nWriting manifest to image destination\n`);
});

test('on a terminal the lines of layers are drawn over until another line follows', () => {
  const stderr = printer(true);
  const show = copyProgress({ stderr }, { quiet: false })!;
  show({ kind: 'blob', digest, total: 10, present: false });
  show({ kind: 'layer', digest, total: 10, done: 10 });
  show({ kind: 'manifest' });
  const ends = stderr.text.split('\n');
  expect(ends.at(-2)).toBe('Writing manifest to image destination');
  expect(stderr.text.split('\u001B[1A')).toHaveLength(3);
  expect(ends.at(-3)).toContain('done');
});

test('quiet says nothing', () => {
  expect(copyProgress({ stderr: printer(true) }, { quiet: true })).toBeUndefined();
});

test('one failure is thrown as it is, of several the gravest decides', () => {
  const missing = new EngineError('NO_SUCH_IMAGE', 'a: image not known');
  const used = new EngineError('IN_USE', 'image used');
  const other = new EngineError('SYSCALL', 'unlink');
  const thrown = (failures: unknown[]) => {
    try {
      throwFailures(failures, ['NO_SUCH_IMAGE', 'IN_USE']);
    } catch (error) {
      return error;
    }
    return undefined;
  };
  expect(thrown([])).toBeUndefined();
  expect(thrown([missing])).toBe(missing);
  expect(thrown([missing, used, missing])).toMatchObject({
    code: 'IN_USE',
    message: '3 errors occurred:\n\t* a: image not known\n\t* image used\n\t* a: image not known',
  });
  expect(thrown([other, used])).toMatchObject({ code: 'SYSCALL' });
});
