/**
 * The executable's first lines. Built, the program comes in parts with a cache of what V8 compiled of them, which saves a third of
 * the start; the cache is the user's own directory, and an unusable one only costs time. From the sources Node loads the program itself.
 */
import { createRequire } from 'node:module';
import { trace } from '../host/trace.ts';
import { bundledParts } from '../host/bundle.ts';

/** Set by scripts/build.ts: tells one build's compiled code from another's. */
declare const LICHEN_BUILD: string | undefined;

trace('node');
const { main } =
  typeof LICHEN_BUILD === 'undefined'
    ? (createRequire(import.meta.filename)('./program.ts') as typeof import('./program.ts'))
    : (bundledParts(import.meta.dirname, LICHEN_BUILD)('base')['cli/program.ts']!() as typeof import('./program.ts'));
void main();
