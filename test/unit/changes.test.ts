import { expect, test } from 'vitest';
import { applyChanges } from '../../storage/transport/changes.ts';

test.each<[string, object]>([
  ['CMD=/bin/sh', { Cmd: ['/bin/sh', '-c', '/bin/sh'] }],
  ['CMD ["a","b"]', { Cmd: ['a', 'b'] }],
  ['cmd=["a","b"]', { Cmd: ['a', 'b'] }],
  ['CMD ["a"', { Cmd: ['/bin/sh', '-c', '["a"'] }],
  ['ENTRYPOINT x y', { Entrypoint: ['/bin/sh', '-c', 'x y'] }],
  ['ENTRYPOINT=["x"]', { Entrypoint: ['x'] }],
  ['ENV A=b C=d', { Env: ['A=b C=d'] }],
  ['ENV=A="b c"', { Env: ['A=b c'] }],
  ["ENV A='b'", { Env: ["A='b'"] }],
  ['ENV A', { Env: ['A='] }],
  ['EXPOSE 80', { ExposedPorts: { '80/tcp': {} } }],
  ['EXPOSE=53/UDP', { ExposedPorts: { '53/udp': {} } }],
  ['LABEL a=b c=d', { Labels: { a: 'b c=d' } }],
  ['LABEL "a b"="c d"', { Labels: { 'a b': 'c d' } }],
  ['STOPSIGNAL 9', { StopSignal: '9' }],
  ['STOPSIGNAL=SIGKILL', { StopSignal: '9' }],
  ['USER u', { User: 'u' }],
  ['VOLUME ["/a","/b"]', { Volumes: { '/a': {}, '/b': {} } }],
  ['VOLUME /a /b', { Volumes: { '/a': {}, '/b': {} } }],
  ['WORKDIR x', { WorkingDir: 'x' }],
  ['ONBUILD RUN x', { OnBuild: ['RUN x'] }],
])('%s, as Podman takes it', (change, config) => {
  expect(applyChanges({}, [change])).toEqual(config);
});

test.each([
  ['', 'must be formatted as KEY VALUE'],
  ['CMD', 'must be formatted as KEY VALUE'],
  ['USER ', 'must provide a value to USER'],
  ['HEALTHCHECK NONE', 'invalid instruction HEALTHCHECK'],
  ['ENV =x', 'ENV must have at least one argument'],
  ['LABEL a', 'LABEL must be formatted key=value'],
  ['LABEL =x', 'LABEL must have a non-empty key'],
  ['EXPOSE 80 81/tcp', 'EXPOSE port must be an integer: strconv.Atoi: parsing "80 81": invalid syntax'],
  ['EXPOSE 80/foo', 'EXPOSE protocol must be TCP or UDP'],
  ['EXPOSE 80/tcp/x', 'EXPOSE port must be formatted as PORT[/PROTO]'],
  ['EXPOSE 70000', 'EXPOSE port must be a valid port number'],
  ['EXPOSE -1', 'EXPOSE port must be a valid port number'],
  ['VOLUME []', 'must provide at least one argument to VOLUME'],
  ['VOLUME ["/a",""]', 'VOLUME paths must not be empty'],
  ['STOPSIGNAL SIGFOO', 'KILLSIGNAL must be given a valid signal: invalid signal: SIGFOO'],
])('%j is refused in Podman’s words', (change, why) => {
  expect(() => applyChanges({}, [change])).toThrow(`invalid change ${JSON.stringify(change)} - ${why}`);
});
