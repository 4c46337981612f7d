/** What is measured of builds. */
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { carryOut, timed, type Engine } from './engine.ts';
import { needed, type Material } from './material.ts';
import type { Row } from './rows.ts';

export const BUILD_FILES = 9000;
export const RUN_STEPS = 12;
export const STAGES = 5;

const IMAGE = 'localhost/lichen-bench';
const DEBIAN = 'localhost/lichen-bench-debian';
/** Of all images that are built here: each takes the name from the one before. */
const LABEL = 'lichen-bench';

type Measures = Pick<Row, 'setup' | 'measure' | 'teardown'>;

/** COPY of many files, with a RUN after it. */
export function building(base: string, ...flags: readonly string[]): Measures {
  return measured({ flags: () => flags, write: (context) => writeFiles(context, base) });
}

/** The same when one of the files has changed. */
export function buildingChanged(base: string): Measures {
  let count = 0;
  return measured({
    write: (context) => writeFiles(context, base),
    change: (context) => appendFile(join(context, 'b/file-1'), `change ${count++}\n`),
  });
}

/** A step that does next to nothing, many times. */
export function buildingSteps(base: string): Measures {
  const steps = Array.from({ length: RUN_STEPS }, (_, index) => `RUN echo ${index} > /step-${index}\n`);
  return measured({ flags: () => ['--no-cache'], write: (context) => writeDockerfile(context, `FROM ${base}\n${steps.join('')}`) });
}

/** Stages that do not wait for each other, each of which takes a while. */
export function buildingStages(base: string): Measures {
  const stages = Array.from({ length: STAGES - 1 }, (_, index) => `FROM ${base} AS s${index}\nRUN sleep 0.3; echo ${index} > /made\n`);
  const copies = stages.map((_, index) => `COPY --from=s${index} /made /made-${index}\n`);
  return measured({
    flags: () => ['--no-cache', `--jobs=${STAGES}`],
    write: (context) => writeDockerfile(context, `${stages.join('')}FROM ${base}\n${copies.join('')}`),
  });
}

/** apt-get on a Debian root, from a repository on the disk: no server of the outside is measured. */
export function installing(packages: string): Measures {
  const dockerfile = `FROM ${DEBIAN}
RUN echo 'deb [trusted=yes] file:/repository ./' > /etc/apt/sources.list && apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packages}
`;
  const repository = ({ debianRepository }: Material) => `${needed(debianRepository, 'Debian')}:/repository:ro`;
  const { setup, teardown, ...rest } = measured({
    flags: (material) => ['--no-cache', '--volume', repository(material)],
    write: (context) => writeDockerfile(context, dockerfile),
  });
  return {
    ...rest,
    setup: async (engine, material) => {
      await carryOut(engine, ['import', needed(material.debianRoot, 'Debian'), DEBIAN]);
      await setup!(engine, material);
    },
    teardown: async (engine, material) => {
      await teardown!(engine, material);
      await carryOut(engine, ['rmi', '-f', DEBIAN], { ignoreFailure: true });
    },
  };
}

interface Measured {
  readonly flags?: (material: Material) => readonly string[];
  readonly write: (context: string) => Promise<void>;
  /** Before each. */
  readonly change?: (context: string) => Promise<void>;
}

function measured({ flags = () => [], write, change }: Measured): Measures {
  const context = join(tmpdir(), `lichen-bench-context-${process.pid}`);
  const args = (material: Material) => ['build', '--label', LABEL, ...flags(material), '-t', IMAGE, context];
  return {
    setup: async (engine, material) => {
      await rm(context, { recursive: true, force: true });
      await write(context);
      await carryOut(engine, args(material));
    },
    measure: async (engine: Engine, material) => {
      await change?.(context);
      return (await timed(engine, args(material))).ms;
    },
    teardown: async (engine) => {
      await carryOut(engine, ['rmi', '-f', IMAGE], { ignoreFailure: true });
      await carryOut(engine, ['image', 'prune', '-f', '--filter', `label=${LABEL}`], { ignoreFailure: true });
      await rm(context, { recursive: true, force: true });
    },
  };
}

async function writeFiles(context: string, base: string): Promise<void> {
  const layers = ['a', 'b', 'c'];
  for (const layer of layers) {
    await mkdir(join(context, layer), { recursive: true });
    for (let index = 0; index < BUILD_FILES / layers.length; index++)
      await writeFile(join(context, layer, `file-${index}`), `${layer} ${index}\n`.repeat(20));
  }
  await writeDockerfile(context, `FROM ${base}\n${layers.map((layer) => `COPY ${layer} /${layer}\n`).join('')}RUN echo built > /done\n`);
}

async function writeDockerfile(context: string, text: string): Promise<void> {
  await mkdir(context, { recursive: true });
  await writeFile(join(context, 'Dockerfile'), text);
}
