import { expect, test } from 'vitest';
import { withKeptOwner } from '../../storage/layer/kept-owner.ts';
import { emptyEntry, type TarEntry } from '../../storage/tar/entry.ts';

const file = (uid: number, gid: number, kept: string): TarEntry => ({
  ...emptyEntry('file', 'bin/tool'),
  uid,
  gid,
  xattrs: new Map([['user.lichen.owner', Buffer.from(kept)]]),
});

test.each([
  ['root’s file has the owner that was noted', file(0, 0, '1000:50'), { uid: 1000, gid: 50 }],
  ['what another user writes there says nothing', file(1000, 1000, '0:0'), { uid: 1000, gid: 1000 }],
  ['nor what a group that is not root’s may have written', file(0, 1000, '5:5'), { uid: 0, gid: 1000 }],
  ['nor what is no owner', file(0, 0, 'root:root'), { uid: 0, gid: 0 }],
])('%s, and the note is not handed on', (_, entry, owner) => {
  expect(withKeptOwner(entry)).toMatchObject({ ...owner, xattrs: new Map() });
});
