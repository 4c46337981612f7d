/** Where lichen means to build otherwise than Podman (docs/differences.md), and how. */
import type { BuildGolden, BuiltImage } from './build-result.ts';

type Change = (image: BuiltImage) => BuiltImage;

/** Podman names a base that there is not. */
const withoutBase: Change = (image) => {
  const {
    'org.opencontainers.image.base.digest': _digest,
    'org.opencontainers.image.base.name': _name,
    ...annotations
  } = image.annotations;
  return { ...image, annotations };
};

/** SHELL holds for the steps that follow it, whatever the format of the image. */
const withShell: Change = (image) => ({
  ...image,
  config: JSON.parse(JSON.stringify(image.config).replaceAll('"-c"', '"-ec"')) as unknown,
  files: image.files.map((line) => line.replace('"c\\n"', '"ce\\n"')),
});

const OTHERWISE: Readonly<Record<string, Change>> = {
  'copy-from-image': withoutBase,
  scratch: withoutBase,
  'shell-docker': withShell,
  'shell-oci': withShell,
  // Files of a further context are root's, as those of the first.
  'copy-from-context': (image) => ({ ...image, files: image.files.map((line) => line.replace('65534:65534', '0:0')) }),
  // A directory of the context goes where a link in the image leads, so that `lib/` of a tree does not take the place of a link to usr/lib.
  'copy-through-link': (image) => ({
    ...image,
    files: [...image.files.filter((line) => !line.startsWith('/link')), '/link: l0777 0:0 -> /real', '/real/d: -0644 0:0 "d"'].toSorted(),
  }),
  // A variable of the base keeps its place.
  'env-substitution': (image) => {
    const config = image.config as { readonly Env: readonly string[] };
    return { ...image, config: { ...config, Env: [config.Env.at(-1)!, ...config.Env.slice(0, -1)] } };
  },
  // As Docker has it: each port for itself.
  expose: (image) => ({
    ...image,
    config: JSON.parse(JSON.stringify(image.config).replace('"8000-8002/tcp":{}', '"8000/tcp":{},"8001/tcp":{},"8002/tcp":{}')) as unknown,
  }),
};

/** What is expected in the place of what Podman made. */
export function otherwise(golden: BuildGolden): BuildGolden {
  const change = OTHERWISE[golden.name];
  return change === undefined || golden.image === undefined ? golden : { ...golden, image: change(golden.image) };
}
