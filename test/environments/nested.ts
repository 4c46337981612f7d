/** A container that shows the host's /usr and lichen, and has all else of its own: the machine of the rows "in a container of …". */
import type { TestHost } from '../host/host.ts';
import type { Row } from './rows.ts';

const ROOT = '/home/tester/root';

export function nestIn(engine: 'lichen' | 'podman'): Pick<Row, 'prepare' | 'within'> {
  const volumes = ['/usr:/usr:ro', '/etc:/etc:ro', '/opt/lichen:/opt/lichen:ro,rslave', '/opt/fixtures:/opt/fixtures'];
  const words = [
    ...volumes.map((volume) => `--volume=${volume}`),
    '--env=HOME=/root',
    '--env=PATH=/opt/lichen/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ];
  return {
    prepare: async (host) => {
      await makeRoot(host);
      const outer = ['run', '--detach', '--name=outer', '--privileged', '--network=host', ...words, '--rootfs', ROOT, 'sleep', '1000'];
      const { exitCode, stderr } = await host.run([engine, ...outer]);
      if (exitCode !== 0) throw new Error(`${engine} ${outer.join(' ')}: ${stderr}`);
    },
    within: [engine, 'exec', 'outer'],
  };
}

async function makeRoot(host: TestHost): Promise<void> {
  await host.run([
    'sh',
    '-c',
    `mkdir -p ${ROOT} && cd ${ROOT} && mkdir -p usr etc opt/lichen opt/fixtures proc sys dev tmp run var/lib var/tmp root home && chmod 1777 tmp var/tmp
    for name in bin sbin lib lib64; do ln -s usr/$name $name; done`,
  ]);
}
