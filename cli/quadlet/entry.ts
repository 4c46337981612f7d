/** The first lines of lichen-quadlet once it is built: as those of lichen (cli/main.ts), with a part of its own. */
import { bundledParts } from '../../host/bundle.ts';

/** Set by scripts/build.ts. */
declare const LICHEN_BUILD: string;

bundledParts(import.meta.dirname, LICHEN_BUILD)('generator')['cli/quadlet/main.ts']!();
