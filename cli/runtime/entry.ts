/** The first lines of lichen-runtime once it is built: as those of lichen-quadlet. */
import { bundledParts } from '../../host/bundle.ts';

/** Set by scripts/build.ts. */
declare const LICHEN_BUILD: string;

bundledParts(import.meta.dirname, LICHEN_BUILD)('runtime-main')['cli/runtime/main.ts']!();
