import { expect, test } from 'vitest';
import { parseDigest } from '../../core/digest.ts';
import { asId, type ImageId } from '../../core/id.ts';
import { lineage } from '../../libpod/image/parents.ts';

const digest = (letter: string) => parseDigest(`sha256:${letter.repeat(64)}`);
const step = (created_by: string, empty_layer = false) => ({ created: '2026-01-01T00:00:00Z', created_by, empty_layer });

function image(letter: string, layers: string, history: ReturnType<typeof step>[]) {
  const diffIds = [...layers].map(digest);
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds }, history } as const;
  return { id: asId<ImageId>(letter.repeat(64)), layers: diffIds, config };
}

test('the parent of an image has its history without the last step, and the layers that come with it', () => {
  const base = image('a', '1', [step('FROM')]);
  const labelled = image('b', '1', [step('FROM'), step('LABEL x=y', true)]);
  const copied = image('c', '12', [step('FROM'), step('LABEL x=y', true), step('COPY')]);
  const { parentOf, withChildren } = lineage([copied, base, labelled]);
  expect(Object.fromEntries(parentOf)).toEqual({ [labelled.id]: base.id, [copied.id]: labelled.id });
  expect(withChildren).toEqual(new Set([base.id, labelled.id]));
});

test('images that merely share layers, or have no history, are not related', () => {
  const base = image('a', '1', [step('FROM')]);
  const other = image('b', '12', [step('ADD'), step('COPY')]);
  const bare = image('c', '1', []);
  expect(lineage([base, other, bare]).parentOf.size).toBe(0);
});
