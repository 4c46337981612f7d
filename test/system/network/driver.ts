/**
 * Runs network backends where containers' namespaces live: inside the user namespace of an ordinary user, in a process of its own.
 * Reads one JSON request per line on stdin, answers each with one line on stdout. Started by NetworkDriver in session.ts.
 */
import { createInterface } from 'node:readline';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isEngineError } from '../../../core/errors.ts';
import { enterNamespaces } from '../../../host/enter.ts';
import { readIdentity } from '../../../host/identity.ts';
import { removeNetworkNamespace } from '../../../host/namespaces.ts';
import { choosePaths } from '../../../host/paths.ts';
import { isAlive } from '../../../host/pid.ts';
import type { NetworkAttachment, NetworkBackend, PortMapping } from '../../../network/backend.ts';
import { openBackend, type BackendName } from '../../../network/choose.ts';
import { findForwarder, withForwarder } from '../../../network/forward/forward.ts';
import { readInterfaces } from '../../../network/interfaces.ts';

export type DriverRequest =
  | {
      readonly op: 'setup';
      readonly backend: BackendName;
      /** With lichen-ports. */
      readonly forwards: boolean;
      readonly ports?: readonly PortMapping[];
      readonly options?: readonly string[];
    }
  | { readonly op: 'teardown'; readonly attachment: NetworkAttachment }
  | { readonly op: 'isAlive'; readonly attachment: NetworkAttachment }
  | { readonly op: 'interfaces' }
  | { readonly op: 'removeNamespace' }
  /** A server inside that answers with what it got and who sent it. */
  | { readonly op: 'serve'; readonly protocol: 'tcp' | 'udp'; readonly port: number }
  /** Connect from inside; `connected` or the error's code. */
  | { readonly op: 'connect'; readonly address: string; readonly port: number };

const SERVE = `
const [, protocol, port] = process.argv;
const done = () => console.log('listening');
if (protocol === 'tcp') require('net').createServer((s) => s.on('data', (d) => s.end(d + ' from ' + s.remoteAddress))).listen(+port, '0.0.0.0', done);
else { const u = require('dgram').createSocket('udp4'); u.on('message', (m, r) => u.send(m + ' from ' + r.address, r.port, r.address)); u.bind(+port, '0.0.0.0', done); }`;

const CONNECT = `
const [, host, port] = process.argv;
const s = require('net').connect({ host, port: +port, timeout: 3000 }, () => { console.log('connected'); process.exit(); });
s.on('timeout', () => { console.log('timeout'); process.exit(); });
s.on('error', (e) => console.log(e.code));`;

const identity = readIdentity();
const paths = choosePaths(identity, process.env);
await enterNamespaces(identity, paths.run, [], () => []);

const runDir = mkdtempSync(join(tmpdir(), 'lichen-network-'));
const netns = join(paths.run, 'netns', `contract-${process.pid}`);
const servers: ChildProcess[] = [];
/** A helper that has just been started may miss that its namespace goes. */
const ends: (() => Promise<void>)[] = [];
let backend: NetworkBackend;

for await (const line of createInterface(process.stdin)) {
  try {
    console.log(JSON.stringify({ value: (await perform(JSON.parse(line) as DriverRequest)) ?? null }));
  } catch (error) {
    console.log(
      JSON.stringify({
        error: isEngineError(error)
          ? { code: error.code, message: error.message, hint: error.hint }
          : { code: 'BUG', message: String(error) },
      }),
    );
  }
}
for (const server of servers) server.kill('SIGKILL');
for (const end of ends) await end();
removeNetworkNamespace(netns);
rmSync(runDir, { recursive: true });

async function perform(request: DriverRequest): Promise<unknown> {
  switch (request.op) {
    case 'setup': {
      const { ports = [], options = [] } = request;
      const plain = await openBackend(request.backend, { helperDirectories: [], cacheDirectory: paths.run, rootful: !identity.rootless });
      backend = request.forwards ? withForwarder(plain, findForwarder([])!) : plain;
      removeNetworkNamespace(netns);
      const used = backend;
      const attachment = await used.setup({ netns, id: 'contract', runDir, ports, options });
      ends.push(() => used.teardown(attachment));
      return attachment;
    }
    case 'teardown':
      return backend.teardown(request.attachment);
    case 'isAlive':
      return [request.attachment.helper, request.attachment.forwarder?.helper].some((helper) => helper !== undefined && isAlive(helper));
    case 'interfaces':
      return readInterfaces(netns);
    case 'removeNamespace':
      return removeNetworkNamespace(netns);
    case 'serve': {
      const server = inside(SERVE, [request.protocol, String(request.port)]);
      servers.push(server);
      await once(server.stdout!, 'data');
      return undefined;
    }
    case 'connect': {
      const client = inside(CONNECT, [request.address, String(request.port)]);
      const [said] = (await once(client.stdout!, 'data')) as [Buffer];
      return said.toString().trim();
    }
    default:
      throw new Error('unknown request');
  }
}

function inside(script: string, args: readonly string[]): ChildProcess {
  const fd = openSync('/dev/null', 'r+');
  try {
    return spawn('nsenter', [`--net=${netns}`, '--', process.execPath, '--eval', script, ...args], { stdio: [fd, 'pipe', 'inherit'] });
  } finally {
    closeSync(fd);
  }
}
