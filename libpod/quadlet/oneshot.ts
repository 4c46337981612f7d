/** `.volume .network .image .build .artifact`: services that make a thing and end. */
import { dirname, isAbsolute, join } from 'node:path';
import { withoutSpecifiers } from '../../core/unit-word.ts';
import { boolFlag, type FlagRules, flagsOf, pair } from './flags.ts';
import { imageName, networkFlags, resourceName, volumeFlags } from './references.ts';
import type { Service } from './service.ts';
import type { Source } from './source.ts';

/** Throws QuadletError, as the others do. */
export function convertVolume(service: Service): void {
  const { source } = service;
  const words = service.command('volume', 'create', '--ignore');
  const driver = source.text('Driver');
  words.push(...pair('--driver', driver));
  if (driver === 'image') {
    if (source.text('Image') === undefined)
      source.fail('the key Image is mandatory when using the image driver', 'Driver', 'Write Image= as well');
    words.push('--opt', `image=${imageName(service)}`);
  } else {
    for (const option of volumeOptions(service)) words.push('--opt', option);
  }
  words.push(...flagsOf(source, { pairs: { Label: '--label' } }), ...source.words('PodmanArgs'), resourceName(source));
  service.finishOneshot(words, { remains: true });
}

function volumeOptions(service: Service): readonly string[] {
  const { source } = service;
  const [device, type, options] = ['Device', 'Type', 'Options'].map((key) => source.text(key));
  const copy = source.bool('Copy');
  if (device === undefined && type !== undefined) source.fail("key Type can't be used without Device", 'Type', 'Write Device= as well');
  if (device === undefined && options !== undefined)
    source.fail("key Options can't be used without Device", 'Options', 'Write Device= as well');
  if (type === 'bind' && device !== undefined) service.needPath(device);
  const mount = [numberOf(service, 'User', 'uid'), numberOf(service, 'Group', 'gid'), options].filter((option) => option !== undefined);
  return [
    ...(copy === undefined ? [] : [copy ? 'copy' : 'nocopy']),
    ...(device === undefined ? [] : [`device=${device}`]),
    ...(type === undefined ? [] : [`type=${type}`]),
    ...(mount.length > 0 ? [`o=${mount.join(',')}`] : []),
  ];
}

function numberOf({ source, around }: Service, key: 'User' | 'Group', word: string): string | undefined {
  const name = source.text(key);
  if (name === undefined) return undefined;
  const number = /^\d+$|^%/.test(name) ? name : around.account(key === 'User' ? 'user' : 'group', name);
  return number === undefined ? source.fail(`no such ${key.toLowerCase()}: ${name}`, key, 'Write its number') : `${word}=${number}`;
}

const NETWORK_FLAGS: FlagRules = {
  bool: { DisableDNS: '--disable-dns', Internal: '--internal', IPv6: '--ipv6' },
  text: { Driver: '--driver', IPAMDriver: '--ipam-driver', InterfaceName: '--interface-name' },
  values: { DNS: '--dns' },
};

export function convertNetwork(service: Service): void {
  const { source } = service;
  const name = resourceName(source);
  if (source.bool('NetworkDeleteOnStop') === true) service.addCommand('ExecStopPost', service.command('network', 'rm', name));
  const words = service.command('network', 'create', '--ignore', ...flagsOf(source, NETWORK_FLAGS), ...subnetFlags(source));
  words.push(...flagsOf(source, { words: { Options: '--opt' }, pairs: { Label: '--label' } }), ...source.words('PodmanArgs'), name);
  service.finishOneshot(words, { remains: true });
}

/** The first gateway and range are those of the first subnet, and so on. */
function subnetFlags(source: Source): string[] {
  const [subnets = [], gateways = [], ranges = []] = ['Subnet', 'Gateway', 'IPRange'].map((key) => source.values(key));
  const extra = gateways.length > 0 ? 'Gateway' : 'IPRange';
  if (subnets.length === 0 && gateways.length + ranges.length > 0)
    source.fail('cannot set gateway or range without subnet', extra, 'Write Subnet= as well');
  if (gateways.length > subnets.length) source.fail('cannot set more gateways than subnets', 'Gateway');
  if (ranges.length > subnets.length) source.fail('cannot set more ranges than subnets', 'IPRange');
  return subnets.flatMap((subnet, index) => [
    '--subnet',
    subnet,
    ...pair('--gateway', gateways[index]),
    ...pair('--ip-range', ranges[index]),
  ]);
}

const PULL_FLAGS: FlagRules = {
  text: {
    AuthFile: '--authfile',
    CertDir: '--cert-dir',
    Creds: '--creds',
    DecryptionKey: '--decryption-key',
    Retry: '--retry',
    RetryDelay: '--retry-delay',
  },
  bool: { TLSVerify: '--tls-verify' },
};

const IMAGE_FLAGS: FlagRules = {
  text: { Arch: '--arch', OS: '--os', Policy: '--policy', Variant: '--variant' },
  bool: { AllTags: '--all-tags' },
};

export function convertImage(service: Service): void {
  const { source } = service;
  const image = source.text('Image');
  if (image === undefined) return source.fail('no Image key specified', undefined, 'Write Image= below [Image]');
  const name = image.endsWith('.build') || image.endsWith('.image') ? image : imageName(service);
  const words = service.command('image', 'pull', ...flagsOf(source, PULL_FLAGS), ...flagsOf(source, IMAGE_FLAGS));
  return service.finishOneshot([...words, ...source.words('PodmanArgs'), name], { remains: true });
}

export function convertArtifact(service: Service): void {
  const { source } = service;
  const artifact = source.text('Artifact');
  if (artifact === undefined) return source.fail('no Artifact key specified', undefined, 'Write Artifact= below [Artifact]');
  const words = service.command('artifact', 'pull', ...flagsOf(source, PULL_FLAGS), ...boolFlag('--quiet', source.bool('Quiet')));
  return service.finishOneshot([...words, ...source.words('PodmanArgs'), artifact], { remains: true });
}

const BUILD_FLAGS: FlagRules = {
  text: {
    Arch: '--arch',
    AuthFile: '--authfile',
    IgnoreFile: '--ignorefile',
    Retry: '--retry',
    RetryDelay: '--retry-delay',
    Target: '--target',
    Variant: '--variant',
  },
  bool: { ForceRM: '--force-rm', TLSVerify: '--tls-verify' },
  values: { DNS: '--dns', DNSOption: '--dns-option', DNSSearch: '--dns-search', GroupAdd: '--group-add', ImageTag: '--tag' },
  words: { Secret: '--secret' },
  pairs: { Annotation: '--annotation', BuildArg: '--build-arg', Environment: '--env', Label: '--label' },
};

export function convertBuild(service: Service): void {
  const { source } = service;
  if (source.values('ImageTag').length === 0) source.fail('no ImageTag key specified', undefined, 'Write ImageTag= below [Build]');
  const words = service.command(
    'build',
    ...source
      .values('Pull')
      .slice(-1)
      .map((policy) => `--pull=${policy}`),
  );
  words.push(...flagsOf(source, BUILD_FLAGS), ...networkFlags(service), ...volumeFlags(service));
  const context = contextOf(service);
  const file = source.text('File');
  if (file === undefined && context === undefined)
    source.fail('neither SetWorkingDirectory, nor File key specified', undefined, 'Write SetWorkingDirectory=unit');
  if (file !== undefined && context === undefined && !isAbsolute(file) && !isUrl(file)) {
    source.fail('relative path in File key requires SetWorkingDirectory key to be set', 'File', 'Write SetWorkingDirectory=unit as well');
  }
  words.push(...pair('--file', file), ...source.words('PodmanArgs'), ...(context === undefined ? [] : [context]));
  service.finishOneshot(words, { remains: false });
}

/** What the file calls the directory of the build. The service works there, unless it says otherwise. */
function contextOf({ source, unit }: Service): string | undefined {
  const given = unit.last('Service', 'WorkingDirectory')?.value || undefined;
  const wanted = source.text('SetWorkingDirectory');
  const own = withoutSpecifiers(dirname(source.path));
  let context = wanted ?? given;
  let directory: string | undefined;
  if (wanted === 'unit') {
    directory = own;
  } else if (wanted === 'file') {
    const file = source.text('File');
    if (file === undefined) return source.fail('no File key specified', 'SetWorkingDirectory', 'Write File= as well');
    directory = dirname(isAbsolute(file) ? file : join(own, file));
  } else if (wanted !== undefined && !isAbsolute(wanted) && !isUrl(wanted)) {
    directory = own;
  }
  if (wanted === 'unit' || wanted === 'file') context = given ?? directory;
  if (directory !== undefined) unit.setDefault('Service', 'WorkingDirectory', directory);
  return context;
}

function isUrl(text: string): boolean {
  return /^(?:https?|git|ssh):\/\//.test(text);
}
