import { expect, test } from 'vitest';
import { parseCgroupFile, parseDeviceRate, parseDeviceRule, parseDeviceWeight } from '../../libpod/spec/parse/limited-device.ts';
import { isQualifiedDevice } from '../../libpod/spec/parse/device.ts';
import { expandWord } from '../../libpod/spec/parse/word.ts';
import { ociConfig } from '../../libpod/spec/oci.ts';
import { kept, MACHINE, startFacts } from './spec-case.ts';

test('limits of devices become numbers of the kernel where the controller is there', () => {
  const resources = {
    blkioWeightDevices: [{ path: '/dev/sdb', value: 200 }],
    readBps: [parseDeviceRate('/dev/sdb:1mb', 'bytes')],
    writeIops: [parseDeviceRate('/dev/sdb:10', 'operations')],
    cgroupFiles: { 'memory.high': '5' },
  };
  const config = kept({ resources });
  const { linux } = ociConfig(config, startFacts(config, { controllers: ['io', 'memory'] }), undefined, MACHINE);
  expect(linux.resources).toMatchObject({
    blockIO: {
      weightDevice: [{ major: 8, minor: 16, weight: 200 }],
      throttleReadBpsDevice: [{ major: 8, minor: 16, rate: 1_048_576 }],
      throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 10 }],
    },
    unified: { 'memory.high': '5' },
  });
  for (const [field, flag] of [
    ['readBps', '--device-read-bps'],
    ['writeBps', '--device-write-bps'],
    ['readIops', '--device-read-iops'],
    ['writeIops', '--device-write-iops'],
    ['blkioWeightDevices', '--blkio-weight-device'],
  ] as const) {
    const one = kept({ resources: { [field]: [{ path: '/dev/sdb', value: 100 }] } });
    expect(() => ociConfig(one, startFacts(one), undefined, MACHINE)).toThrow(
      `${flag} cannot be applied: the cgroup controller io is not available`,
    );
  }
});

test('rules for devices hold for root; a class of the resource director where the kernel has it', () => {
  const deviceRules = ['c 1:* rw', 'b 8:16 m', 'a *:* r'].map(parseDeviceRule);
  expect(deviceRules).toEqual([
    { type: 'c', major: 1, access: 'rw' },
    { type: 'b', major: 8, minor: 16, access: 'm' },
    { type: 'a', access: 'r' },
  ]);
  const config = kept({ deviceRules, rdtClass: 'gold', personality: 'LINUX32' }, { rootless: false });
  const facts = startFacts(config, { rootless: false, existing: (path) => path === '/sys/fs/resctrl/schemata' });
  const { linux } = ociConfig(config, facts, undefined, MACHINE);
  expect(linux.resources.devices?.slice(1)).toEqual(deviceRules.map((rule) => ({ allow: true, ...rule })));
  expect(linux).toMatchObject({ intelRdt: { closID: 'gold' }, personality: { domain: 'LINUX32' } });
  expect(() => kept({ deviceRules })).toThrow('device cgroup rules are not supported in rootless mode');
});

test.each(['vendor.com/class=name', 'nvidia.com/gpu=all', 'a/b=0', 'v-1.x/c_2=n.1:2'])('%s is a CDI device', (text) => {
  expect(isQualifiedDevice(text)).toBe(true);
});

test.each(['/dev/null', '/dev/a=b', 'vendor.com/class', 'vendor/class=', '1v/c=n', 'v/c=a=b', 'v/c/d=n'])('%s is a path', (text) => {
  expect(isQualifiedDevice(text)).toBe(false);
});

test.each([
  ['a$B', 'ab'],
  ['${B}c${NONE}', 'bc'],
  ['${NONE:-x$B}${B:-y}', 'xbb'],
  ['${B:+z}${NONE:+z}', 'z'],
  [`'$B'"$B '"\\$B`, "$Bb '$B"],
  ['"\\a\\"" $', '\\a" $'],
])('the word %s', (word, expanded) => {
  expect(expandWord(word, (name) => (name === 'B' ? 'b' : undefined))).toBe(expanded);
});

test.each(['${', '${B', '${B:x}', "'", '"', '${}'])('%s is no word', (word) => {
  expect(() => expandWord(word, () => 'b')).toThrow(`unable to process variables for --env-merge ${word}: `);
});

test('a weight is 10 to 1000, or 0 for none', () => {
  expect(parseDeviceWeight('/dev/sdb:0')).toEqual({ path: '/dev/sdb', value: 0 });
  for (const weight of ['9', '1001', '-1', 'x', '', '1:2'])
    expect(() => parseDeviceWeight(`/dev/sdb:${weight}`)).toThrow('invalid weight for device');
  expect(parseCgroupFile('a=b=c')).toEqual(['a', 'b=c']);
});
