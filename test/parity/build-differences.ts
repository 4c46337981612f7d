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

/** The words of the history with others in their place. */
function withHistory(change: (by: string) => string): Change {
  return (image) => ({
    ...image,
    history: image.history.map((entry) => {
      const { by, ...rest } = entry as { readonly by: string };
      return { by: change(by), ...rest };
    }),
  });
}

/** Podman counts the words of the values of ARGs, not the ARGs. */
const argCount = (count: number): Change => withHistory((by) => by.replace(/^\|\d+ /, `|${count} `));

/** Where nothing is changed there is no layer, however many layers are wanted. */
const withoutLayer: Change = (image) => ({
  ...image,
  layers: image.layers - 1,
  history: image.history.map((entry, index) => (index === image.history.length - 1 ? { ...(entry as object), empty: true } : entry)),
});

const withoutFiles =
  (...gone: readonly string[]): Change =>
  (image) => ({ ...image, files: image.files.filter((line) => !gone.some((path) => line.startsWith(`${path}:`))) });

/** Other texts in the settings. */
const withConfig =
  (...changes: readonly (readonly [text: string, other: string])[]): Change =>
  (image) => ({
    ...image,
    config: JSON.parse(changes.reduce((text, [one, other]) => text.replace(one, other), JSON.stringify(image.config))) as unknown,
  });

/** Other texts in the lines of the files. */
const withFiles =
  (...changes: readonly (readonly [text: string, other: string])[]): Change =>
  (image) => ({
    ...image,
    files: image.files.map((line) => changes.reduce((text, [one, other]) => text.replace(one, other), line)).toSorted(),
  });

const OTHERWISE: Readonly<Record<string, Change>> = {
  'copy-from-image': withoutBase,
  scratch: withoutBase,
  'shell-docker': withShell,
  'shell-oci': withShell,
  'scratch-settings': withoutBase,
  // Files of a further context are root's, as those of the first.
  'copy-from-context': withFiles(['65534:65534', '0:0']),
  'build-context-base': withFiles(['65534:65534', '0:0']),
  'arg-file': argCount(3),
  'arg-quotes': argCount(4),
  // Names of ARGs that are there without being declared are told of those that are.
  'arg-proxy': withHistory((by) => by.replace('ARG HTTP_PROXY no_proxy', 'ARG no_proxy')),
  // What Podman adds for its cache.
  'format-docker': withHistory((by) => by.replace(/lost=1$/, '')),
  'no-layers-settings': withoutLayer,
  'squash-settings': withoutLayer,
  // A WORKDIR that no RUN follows makes no directory, nor does a VOLUME.
  'no-layers-stages': withoutFiles('/w'),
  'squash-stages': withoutFiles('/v'),
  'substitution-everywhere': withoutFiles('/dir/vol'),
  // `*` stands for slashes, too.
  'substitution-patterns': withConfig(['TWO=/example.org/a/b.tar.gz', 'TWO=b.tar.gz'], ['FOUR=https://example.org/a', 'FOUR=https:']),
  'shell-stages': withConfig(
    ['"/bin/sh","-c","echo cmd"', '"/bin/busybox","ash","-c","echo cmd"'],
    ['"/bin/sh","-c","echo entry"', '"/bin/sh","-xc","echo entry"'],
  ),
  'expose-forms': withConfig(['"80/TCP":{},', '']),
  // A default stands before what a platform says.
  'platform-args-default': (image) =>
    withHistory((by) => by.replace('TARGETARCH=amd64', 'TARGETARCH=mine'))(withFiles(['"amd64 linux/amd64', '"mine linux/amd64'])(image)),
  // A here-document without lines is empty, and single quotes in one mean nothing.
  'heredoc-with-files': withFiles(['/empty: -0644 0:0 "\\n"', '/empty: -0644 0:0 ""']),
  'heredoc-quoted': withFiles(["'$A'", "'a'"]),
  // ARGs of a stage are those of the stages on it, whoever has declared them.
  'onbuild-chain': withHistory((by) => by.replace(/^(?=.*ls \/w)/, '|1 A=given ')),
  // An archive fills the directory that a link leads to, and changes none that is there.
  'add-archive-links': withFiles(
    ['/there/lib/', '/there/real/'],
    ['/there/lib: d0755 0:0', '/there/lib: l0777 0:0 -> real'],
    ['/there: d0711 1:1', '/there: d0755 0:0'],
  ),
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

/** What Podman refuses, and Docker builds: what comes of it. */
const BUILT: Readonly<Record<string, BuiltImage>> = {
  'add-unpack': onBusybox({
    files: [
      '/b/b.txt: -0644 0:0 "b"',
      '/b: d0755 0:0',
      '/kept/a.tar: -0644 0:0 sha256:a01c2b281fe0',
      '/kept: d0755 0:0',
      '/unpacked/d/f: -0640 5:6 "in the archive\\n"',
      '/unpacked/d: d0750 5:6',
      '/unpacked: d0755 0:0',
    ],
    steps: [
      { by: '/bin/sh -c #(nop) ADD file:HASH in /kept/' },
      { by: '/bin/sh -c #(nop) ADD file:HASH in /unpacked/' },
      { by: '/bin/sh -c #(nop) ADD file:HASH in /b/' },
    ],
  }),
  'copy-chmod-symbolic': onBusybox({
    files: ['/four: -0444 0:0 "b"', '/one/b: -0644 0:0 "b"', '/one: d0755 0:0', '/three: -0700 0:0 "a"', '/two: -0755 0:0 "a"'],
    steps: [
      { by: '/bin/sh -c #(nop) COPY dir:HASH in /one' },
      { by: '/bin/sh -c #(nop) COPY file:HASH in /two' },
      { by: '/bin/sh -c #(nop) COPY file:HASH in /three' },
      { by: '/bin/sh -c #(nop) COPY file:HASH in /four' },
    ],
  }),
  'parse-directives': onBusybox({
    env: ['A=a\\b'],
    files: ['/escaped: -0644 0:0 "one two\\n"'],
    steps: [{ by: '/bin/sh -c #(nop) ENV A=a\\b', empty: true }, { by: '/bin/sh -c echo one   two > /escaped' }],
  }),
  'stage-below': onBusybox({
    files: ['/copied: -0644 0:0 "late\\n"', '/mounted: -0644 0:0 "late\\n"'],
    steps: [{ by: '/bin/sh -c #(nop) COPY file:HASH in /copied' }, { by: '/bin/sh -c --mount=from=two,target=/m cp /m/made /mounted' }],
  }),
  'substitution-unset': onBusybox({
    env: ['ONE=unset', 'TWO=', 'THREE=', 'FOUR=set', 'FIVE='],
    steps: [
      { by: '/bin/sh -c #(nop) ARG EMPTY', empty: true },
      {
        by: '/bin/sh -c #(nop) ENV ONE=${NO-unset} TWO=${EMPTY-unset} THREE=${NO+set} FOUR=${EMPTY+set} FIVE=${EMPTY?message}',
        empty: true,
      },
    ],
  }),
  'target-case': onBusybox({ files: ['/mixed: -0644 0:0 "mixed\\n"'], steps: [{ by: '/bin/sh -c echo mixed > /mixed' }] }),
};

interface Expected {
  readonly env?: readonly string[];
  readonly files?: readonly string[];
  readonly steps: readonly { readonly by: string; readonly empty?: true }[];
}

function onBusybox({ env = [], files = [], steps }: Expected): BuiltImage {
  const [first, ...others] = steps;
  return {
    config: { Cmd: ['sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...env] },
    author: '',
    history: [{ by: 'fixture layer 1' }, { ...first, comment: 'FROM localhost/busybox:latest' }, ...others],
    layers: 1 + steps.filter(({ empty }) => empty === undefined).length,
    annotations: {
      'org.opencontainers.image.base.digest': 'SET',
      'org.opencontainers.image.base.name': 'localhost/busybox:latest',
      'org.opencontainers.image.created': 'SET',
    },
    files,
  };
}

/** What Podman builds all the same: a port that is none becomes a setting, an archive that is cut off a file. */
const REFUSED: readonly string[] = ['fail-archive', 'fail-expose'];

/** What is expected in the place of what Podman made. */
export function otherwise({ name, exitCode, image }: BuildGolden): BuildGolden {
  if (REFUSED.includes(name)) return { name, exitCode: 125 };
  const built = BUILT[name];
  if (built !== undefined) return { name, exitCode: 0, image: built };
  const change = OTHERWISE[name];
  return image === undefined ? { name, exitCode } : { name, exitCode, image: change === undefined ? image : change(image) };
}
