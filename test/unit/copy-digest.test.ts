/** What the key of a COPY or ADD is made of. */
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestSources } from '../../build/copy/digest.ts';
import type { TreeSource } from '../../build/copy/sources.ts';
import { Root } from '../../host/root.ts';

const ALL = { isLeftOut: () => false, mayHoldWanted: () => false };

test('an archive has another digest than under the versions that gave its files to the owner of --chown', () => {
  const directory = mkdtempSync(join(tmpdir(), 'digest-'));
  try {
    writeFileSync(join(directory, 'a.tar'), 'tar');
    using root = new Root(directory);
    const source = { root, path: 'a.tar', name: 'a.tar', asked: 'a.tar', isDirectory: false, parents: [] } satisfies Omit<
      TreeSource,
      'kind'
    >;
    const file = JSON.stringify(['', statSync(join(directory, 'a.tar')).mode, hash('sha256', 'tar')]);
    const before = (kind: string) => hash('sha256', `${JSON.stringify([kind, 'a.tar', 'a.tar', false])}${file}`);
    const now = (kind: TreeSource['kind']) => digestSources([{ ...source, kind }], ALL, { owners: false });
    expect(now('tree')).toBe(before('tree'));
    expect(now('archive')).not.toBe(before('archive'));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
