/** Memory that a waiting process need not hold: pages of its programs and libraries, which are read again from their files when it goes on. */
import { readFileSync } from 'node:fs';
import { bind } from './libc.ts';

const MADV_DONTNEED = 4;
const madvise = bind('int madvise(uintptr_t address, size_t length, int advice)');

interface Range {
  readonly from: number;
  readonly length: number;
}

/** Mappings of files that were never written to: others have private pages, such as those that the dynamic linker has put addresses into. */
export function cleanMappings(smaps: string): readonly Range[] {
  return smaps.split(/\n(?=[0-9a-f]+-)/).flatMap((mapping) => {
    const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ [1-9]\d* +\//.exec(mapping) ?? [];
    if (from === '' || !/^Anonymous: +0 kB$/m.test(mapping)) return [];
    return [{ from: parseInt(from, 16), length: parseInt(to, 16) - parseInt(from, 16) }];
  });
}

let ranges: readonly Range[] | undefined;

/** Nothing is lost: an advice that is not taken changes nothing. */
export function dropCleanPages(): void {
  ranges ??= cleanMappings(readFileSync('/proc/self/smaps', 'latin1'));
  for (const { from, length } of ranges) madvise(from, length, MADV_DONTNEED);
}
