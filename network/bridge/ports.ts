/**
 * Published ports of a container on bridges: a second pasta (or slirp4netns) in the container's own namespace, on an interface of its own. Nothing in the
 * bridges' namespace could be told of a new port later, and a forwarder there would hide who the client is. Answers leave by that interface because
 * of their source address; everything else goes to the bridges. It ends with the container's namespace.
 */
import { EngineError } from '../../core/errors.ts';
import type { ProcessIdentity } from '../../host/pid.ts';
import { runHelper } from '../../host/process.ts';
import type { NetworkInterface, NetworkRequest } from '../backend.ts';
import { chooseDefault, openBackend, type NetworkMachine } from '../choose.ts';
import { teardownAttachment } from '../teardown.ts';

/** Link-local, as pasta's own are (169.254.1.0/24), and next to nothing of it: no address of the outside is hidden. */
const OWN = '169.254.77.2';
const GATEWAY = '169.254.77.1';
const INTERFACE = 'ports0';
const PASTA_OPTIONS = ['-4', '-i', 'lo', '-a', OWN, '-n', '30', '-g', GATEWAY, '-I', INTERFACE, '-M', '9a:55:9a:55:9a:55'];
const TABLE = '77';

export type PortRequest = Pick<NetworkRequest, 'netns' | 'id' | 'runDir' | 'ports'>;

/**
 * To be called before the namespace joins any network. The process listens on the host until it is killed, or the namespace goes.
 * Throws NETWORK_SETUP (a port is taken, nothing can forward), HELPER_MISSING, INVALID_ARGUMENT (sctp).
 */
export async function publishPorts(
  machine: NetworkMachine,
  preferred: 'pasta' | 'slirp4netns',
  request: PortRequest,
): Promise<ProcessIdentity> {
  const { name, warning } = chooseDefault(machine, preferred);
  if (name === 'none') {
    throw new EngineError(
      'NETWORK_SETUP',
      'ports of containers on bridges cannot be published here',
      warning === undefined ? {} : { hint: warning },
    );
  }
  const backend = await openBackend(name, machine);
  const attachment = await backend.setup({ ...request, options: name === 'pasta' ? PASTA_OPTIONS : [] });
  try {
    const link = attachment.interfaces.find((one) => one.name === (name === 'pasta' ? INTERFACE : one.name));
    if (attachment.helper === undefined || link === undefined)
      throw new EngineError('NETWORK_SETUP', `${name} ended as soon as it was ready`);
    await answerByIt(request.netns, link);
    return attachment.helper;
  } catch (error) {
    await teardownAttachment({ ...attachment, holdsPorts: true });
    throw error;
  }
}

async function answerByIt(netns: string, { name, addresses, gateways }: NetworkInterface): Promise<void> {
  const isFour = (address: string) => !address.includes(':');
  const own = addresses.find(isFour)?.replace(/\/.*$/, '');
  const gateway = gateways.find(isFour);
  const lines = [
    `route del default dev ${name}`,
    `route add default via ${gateway} dev ${name} table ${TABLE}`,
    `rule add from ${own} lookup ${TABLE}`,
  ];
  const args = [`--net=${netns}`, '--', 'ip', '-batch', '-'];
  const { code, stderr } = await runHelper('nsenter', args, {
    input: `${lines.join('\n')}\n`,
    okCodes: [0, 1, 2, 127],
    package: 'util-linux',
  });
  if (code === 0) return;
  throw code === 127
    ? new EngineError('HELPER_MISSING', 'ip: not found: published ports of containers on bridges need it', {
        hint: 'Install it (Debian: apt-get install iproute2).',
      })
    : new EngineError('NETWORK_SETUP', `ip: ${stderr.trim()}`);
}
