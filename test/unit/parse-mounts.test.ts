import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMount } from '../../libpod/spec/parse/mount.ts';
import { parseTmpfs, parseVolume } from '../../libpod/spec/parse/volume.ts';

test.each([
  ['/x', { type: 'volume', target: '/x', options: [] }],
  ['vol:/x', { type: 'volume', name: 'vol', target: '/x', options: [] }],
  ['/a:/x:ro,z', { type: 'bind', source: '/a', target: '/x', options: ['ro', 'z'] }],
  ['./rel:/x', { type: 'bind', source: './rel', target: '/x', options: [] }],
  ['/a\\:b:/x', { type: 'bind', source: '/a:b', target: '/x', options: [] }],
  ['/a:/x:O,upperdir=/u,workdir=/w', { type: 'bind', source: '/a', target: '/x', options: ['O', 'upperdir=/u', 'workdir=/w'] }],
  ['/a:/x:idmap=uids=0-1-2;gids=0-1-2', { type: 'bind', source: '/a', target: '/x', options: ['idmap=uids=0-1-2;gids=0-1-2'] }],
])('--volume %s', (text, wish) => {
  expect(parseVolume(text)).toEqual(wish);
});

test.each([
  ['', 'container directory cannot be empty'],
  ['rel', 'invalid container path "rel", must be an absolute path'],
  ['/tmp:rel', 'invalid container path "rel", must be an absolute path'],
  [':/x', 'host directory cannot be empty'],
  ['/tmp:', 'container directory cannot be empty'],
  ['/tmp:/x:bogus', 'invalid option type "bogus"'],
  ['/tmp:/x:ro,', 'invalid option type ""'],
  ['/tmp:/x:ro:z', '/tmp:/x:ro:z: incorrect volume format, should be [host-dir:]ctr-dir[:option]'],
  ['/tmp:/x:ro,rw', `invalid options "ro, rw", can only specify 1 'rw' or 'ro' option`],
  ['/tmp:/x:z,Z', `invalid options "z, Z", can only specify 1 'z', 'Z', or 'O' option`],
  ['/tmp:/x:U,U', `invalid options "U, U", can only specify 1 'U' option`],
  ['/tmp:/x:bind,rbind', `invalid options "bind, rbind", can only specify 1 '[r]bind' option`],
  ['vol:/x:copy,nocopy', `invalid options "copy, nocopy", can only specify 1 'copy' or 'nocopy' option`],
  ['/tmp:/x:O,upperdir=/a', 'must set both `upperdir` and `workdir`'],
  ['/tmp:/x:upperdir=/a', 'unknown mount option "upperdir=/a": invalid mount option'],
  [
    'bad name:/x',
    'creating named volume "bad name": running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument',
  ],
])("--volume %j is refused with Podman's words", (text, message) => {
  expect(() => parseVolume(text)).toThrow(expect.objectContaining({ message }));
});

test.each([
  ['type=bind,src=/a,dst=/x,ro', { type: 'bind', source: '/a', target: '/x', options: ['ro'] }],
  ['type=bind,source=/a,target=/x,readonly=false', { type: 'bind', source: '/a', target: '/x', options: ['rw'] }],
  ['type=bind,src=/a,dst=/x,rw=false', { type: 'bind', source: '/a', target: '/x', options: ['ro'] }],
  ['type=bind,dst=/x', { type: 'bind', source: '/x', target: '/x', options: [] }],
  ['type=bind,src=/a,destination=/x,bind-propagation=rshared', { type: 'bind', source: '/a', target: '/x', options: ['rshared'] }],
  ['type=bind,src=/a,dst=/x,relabel=private,U=true', { type: 'bind', source: '/a', target: '/x', options: ['Z', 'U'] }],
  ['type=bind,src=/a,dst=/x,bind-nonrecursive', { type: 'bind', source: '/a', target: '/x', options: ['bind'] }],
  ['dst=/x,src=v', { type: 'volume', name: 'v', target: '/x', options: [] }],
  ['type=volume,dst=/x', { type: 'volume', target: '/x', options: [] }],
  ['type=volume,src=v,dst=/x,subpath=a/b', { type: 'volume', name: 'v', target: '/x', options: [], subpath: 'a/b' }],
  ['type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=1770', { type: 'tmpfs', target: '/x', options: ['size=1m', 'mode=1770'] }],
  ['type=tmpfs,dst=/x,consistency=delegated,notmpcopyup', { type: 'tmpfs', target: '/x', options: ['notmpcopyup'] }],
  ['type=ramfs,dst=/x', { type: 'ramfs', target: '/x', options: [] }],
  ['type=devpts,dst=/x,uid=1,max=2', { type: 'devpts', target: '/x', options: ['uid=1', 'max=2'] }],
  ['type=image,src=alpine,dst=/x,rw=true', { type: 'image', source: 'alpine', target: '/x', options: [], writable: true }],
  ['type=bind,"src=/a,b",dst=/x', { type: 'bind', source: '/a,b', target: '/x', options: [] }],
])('--mount %s', (text, wish) => {
  expect(parseMount(text)).toEqual(wish);
});

test.each([
  ['', 'incorrect mount format: should be --mount type=<bind|glob|tmpfs|volume>,[src=<host-dir|volume-name>,]target=<ctr-dir>[,options]'],
  ['type=foo,dst=/x', 'invalid filesystem type "foo"'],
  ['type=bind,src=/tmp', 'must set volume destination'],
  ['type=bind,src=/tmp,dst=rel', 'invalid container path "rel", must be an absolute path'],
  ['type=bind,src=/tmp,dst=/x,bogus=1', 'bogus: invalid mount option'],
  ['type=bind,src=/tmp,dst=/x,__proto__', '__proto__: invalid mount option'],
  ['type=bind,src', 'src: must provide an argument for option'],
  ['type=bind,src=/a,src=/b,dst=/x', 'cannot pass "src" option more than once: must provide an argument for option'],
  ['type=bind,type=volume,dst=/x', 'type: invalid mount option'],
  [
    'type=bind,src=/a,dst=/x,ro,rw',
    "cannot pass 'readonly', 'ro', or 'rw' mnt.Options more than once: must provide an argument for option",
  ],
  ['type=bind,src=/a,dst=/x,relabel=foo', "relabel mount option must be 'private' or 'shared': invalid mount option"],
  ['type=bind,src=/a,dst=/x,bind-propagation=foo', 'invalid value "bind-propagation=foo"'],
  ['type=tmpfs,src=/a,dst=/x', '"src" option not supported for "tmpfs" mount types'],
  ['type=tmpfs,dst=/x,size=1m', 'size: invalid mount option'],
  ['type=image,dst=/x', 'must set source and destination for image volume'],
  ['type=image,src=a,dst=/x,rw', 'invalid rw value "": invalid mount option'],
])("--mount %j is refused with Podman's words", (text, message) => {
  expect(() => parseMount(text)).toThrow(expect.objectContaining({ message }));
});

test('--tmpfs takes a path and options, and refuses unknown ones', () => {
  expect(parseTmpfs('/x')).toEqual({ type: 'tmpfs', target: '/x', options: [] });
  expect(parseTmpfs('/x:rw,size=1m,mode=777,U')).toEqual({ type: 'tmpfs', target: '/x', options: ['rw', 'size=1m', 'mode=777', 'U'] });
  expect(() => parseTmpfs('/x:')).toThrow('unknown mount option "": invalid mount option');
  expect(() => parseTmpfs('x')).toThrow('invalid container path "x", must be an absolute path');
  expect(() => parseTmpfs('/x:rw,ro')).toThrow("only one of 'rw' and 'ro' can be used: duplicate mount option passed");
});

const path = fc.stringMatching(/^\/[\w.-]{1,12}$/);

test('a bind mount means the same as --volume and as --mount', () => {
  fc.assert(
    fc.property(path, path, fc.constantFrom('ro', 'nosuid', 'z', 'U', 'rshared', 'noexec'), (source, target, option) => {
      expect(parseMount(`type=bind,src=${source},dst=${target},${option === 'rshared' ? 'bind-propagation=rshared' : option}`)).toEqual(
        parseVolume(`${source}:${target}:${option}`),
      );
    }),
  );
});

test('whatever is accepted has an absolute target; all else is an argument error', () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^(type=(bind|volume|tmpfs|image|devpts),)?((src|dst|ro|z|U)(=[/a-z]*)?,?){0,4}$/),
    fc.stringMatching(/^[/a-z:.,\\]*$/),
  );
  fc.assert(
    fc.property(text, (input) => {
      for (const parse of [parseVolume, parseMount, parseTmpfs]) {
        try {
          expect(parse(input).target?.startsWith('/')).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^INVALID_(ARGUMENT|NAME)$/) });
        }
      }
    }),
  );
});
