/** The first lines of the monitor of our own once it is built: as those of lichen-quadlet. */
import { bundledParts } from '../../host/bundle.ts';

/** Set by scripts/build.ts. */
declare const LICHEN_BUILD: string;

bundledParts(import.meta.dirname, LICHEN_BUILD)('monitor-base')['libpod/monitor/monitor-main.ts']!();
