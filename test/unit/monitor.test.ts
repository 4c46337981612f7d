import { expect, test } from 'vitest';
import { cleanMappings } from '../../host/clean-pages.ts';
import { piecesOf } from '../../libpod/monitor/inside/container-log.ts';

test('only read-only mappings of files that have no pages of their own may be dropped', () => {
  const mapping = (header: string, anonymousKib: number): string =>
    `${header}\nSize:                 8 kB\nAnonymous:         ${anonymousKib} kB\nVmFlags: rd mr\n`;
  const smaps = [
    mapping('00400000-00402000 r--p 00000000 fe:00 5309894                            /usr/bin/node', 0),
    mapping('00402000-00405000 r-xp 00002000 fe:00 5309894                            /usr/bin/node', 0),
    mapping('00405000-00406000 r--p 00005000 fe:00 5309894                            /usr/bin/node', 4),
    mapping('00406000-00407000 rw-p 00006000 fe:00 5309894                            /usr/bin/node', 0),
    mapping('00407000-00408000 rw-p 00000000 00:00 0                                  [heap]', 0),
    mapping('00408000-00409000 r--s 00000000 fe:00 77                                 /usr/share/shared', 0),
    mapping('7ff4d130e000-7ff4d1310000 r-xp 00000000 00:00 0                          [vdso]', 0),
  ].join('');
  expect(cleanMappings(smaps)).toEqual([
    { from: 0x400000, length: 0x2000 },
    { from: 0x402000, length: 0x3000 },
  ]);
});

test('what a container prints is logged line by line, and a piece without an end is partial', () => {
  const shown = (text: string) =>
    piecesOf(Buffer.from(text)).map(({ text: piece, partial }) => `${piece.toString()}${partial ? '…' : '.'}`);
  expect(shown('one\n\ntwo')).toEqual(['one.', '.', 'two…']);
  expect(shown('\n')).toEqual(['.']);
  expect(shown('')).toEqual([]);
});
