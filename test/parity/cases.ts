/** Command lines whose words and exit status must be Podman's. stdin is empty. */
import { IMAGE } from './setting.ts';

export interface Case {
  readonly name: string;
  readonly argv: readonly string[];
}

const DISPOSABLE = ['run', '--rm', '--network=none'] as const;

/** What goes wrong: verbs, flags and values that are refused, objects that are missing or in the wrong state. */
export const FAILURES: readonly Case[] = [
  of('unknown top-level command', 'nosuchcmd'),
  of('unknown subcommand', 'image', 'nosuch'),
  of('no args to run', 'run'),
  of('no args to rm', 'rm'),
  of('no args to exec', 'exec'),
  of('no args to inspect', 'inspect'),
  of('unknown flag', 'run', '--nosuch', 'bb'),
  of('unknown short flag', 'ps', '-Z'),
  of('flag needs argument', 'run', '--name'),
  of('bad flag value int', 'stop', '-t', 'abc', 'e-run'),
  of('bad bool flag', 'ps', '--all=maybe'),
  of('too many args', 'rename', 'a', 'b', 'c'),
  of('bad log level', '--log-level', 'foo', 'ps'),
  of('bad events backend', '--events-backend', 'foo', 'ps'),
  of('events that nobody keeps', '--events-backend', 'none', 'events', '--stream=false'),
  of('bad runtime', '--runtime', 'nosuch', 'run', '--rm', IMAGE, 'true'),
  of('latest flag with arg', 'stop', '-l', 'e-run'),
  of('all flag with arg', 'rm', '-a', 'e-run'),

  of('run image missing, pull=never', 'run', '--pull=never', 'localhost/nosuch', 'true'),
  of('invalid reference', 'pull', 'UPPER/case'),
  of('invalid reference 2', 'run', 'bad@@ref'),
  of('pull from unreachable registry', 'pull', '--retry', '0', '--tls-verify=false', '127.0.0.1:5999/x:1'),

  of('inspect unknown', 'inspect', 'nosuch'),
  of('container inspect unknown', 'container', 'inspect', 'nosuch'),
  of('image inspect unknown', 'image', 'inspect', 'nosuch'),
  of('volume inspect unknown', 'volume', 'inspect', 'nosuch'),
  of('inspect bad template', 'inspect', '-f', '{{.Foo}}', 'e-run'),
  of('inspect template parse error', 'inspect', '-f', '{{', 'e-run'),
  of('inspect empty name', 'inspect', ''),

  of('start unknown', 'start', 'nosuch'),
  of('stop unknown', 'stop', 'nosuch'),
  of('stop unknown --ignore', 'stop', '--ignore', 'nosuch'),
  of('stop exited container', 'stop', 'e-exit'),
  of('restart unknown', 'restart', 'nosuch'),
  of('kill unknown', 'kill', 'nosuch'),
  of('kill exited', 'kill', 'e-exit'),
  of('kill bad signal', 'kill', '-s', 'NOPE', 'e-run'),
  of('pause exited', 'pause', 'e-exit'),
  of('unpause running', 'unpause', 'e-run'),
  of('rm running', 'rm', 'e-run'),
  of('rm unknown', 'rm', 'nosuch'),
  of('rm unknown -i', 'rm', '-i', 'nosuch'),
  of('rm -f unknown', 'rm', '-f', 'nosuch'),
  of('rename in use', 'rename', 'e-exit', 'e-run'),
  of('rename unknown', 'rename', 'nosuch', 'other'),
  of('top stopped', 'top', 'e-exit'),
  of('attach stopped', 'attach', 'e-exit'),
  of('attach unknown', 'attach', 'nosuch'),
  of('port unknown mapping', 'port', 'e-run', '80'),
  of('port unknown', 'port', 'nosuch'),
  of('wait unknown', 'wait', 'nosuch'),
  of('wait --ignore unknown', 'wait', '--ignore', 'nosuch'),
  of('logs unknown', 'logs', 'nosuch'),
  of('logs bad since', 'logs', '--since', 'foo', 'e-run'),
  of('exists no', 'container', 'exists', 'nosuch'),
  of('exists yes', 'container', 'exists', 'e-run'),
  of('image exists no', 'image', 'exists', 'nosuch'),
  of('prune without force', 'container', 'prune'),

  of('exec in stopped', 'exec', 'e-exit', 'true'),
  of('exec in created', 'exec', 'e-created', 'true'),
  of('exec unknown container', 'exec', 'nosuch', 'true'),
  of('exec command not found', 'exec', 'e-run', 'nosuchcmd'),
  of('exec not executable', 'exec', 'e-run', '/etc/passwd'),
  of('exec exit code', 'exec', 'e-run', 'sh', '-c', 'exit 42'),
  of('exec killed by signal', 'exec', 'e-run', 'sh', '-c', 'kill -9 $$'),
  of('exec without command', 'exec', 'e-run'),
  of('exec bad workdir', 'exec', '-w', '/nosuch', 'e-run', 'true'),
  of('exec bad user', 'exec', '-u', 'nosuchuser', 'e-run', 'true'),

  of('invalid filter', 'ps', '--filter', 'foo=bar'),
  of('invalid filter format', 'ps', '--filter', 'status'),
  of('invalid status filter', 'ps', '--filter', 'status=foo'),
  of('invalid sort', 'ps', '--sort', 'foo'),
  of('bad ps format', 'ps', '--format', '{{.Foo}}'),
  of('invalid images filter', 'images', '--filter', 'foo=bar'),

  of('rmi in use', 'rmi', IMAGE),
  of('rmi unknown', 'rmi', 'nosuch'),
  of('rmi -f unknown', 'rmi', '-f', 'nosuch'),
  of('tag unknown', 'tag', 'nosuch', 'x'),
  of('untag wrong', 'untag', IMAGE, 'localhost/other'),
  of('load missing file', 'load', '-i', '/no/such'),
  of('import missing', 'import', '/no/such'),
  of('volume rm in use', 'volume', 'rm', 'e-vol'),
  of('volume rm unknown', 'volume', 'rm', 'nosuch'),
  of('volume create dup', 'volume', 'create', 'e-vol'),
  of('volume create bad name', 'volume', 'create', 'a b'),
  of('volume create bad driver', 'volume', 'create', '-d', 'nosuch', 'x1'),

  of('name in use', 'run', '--name', 'e-run', IMAGE, 'true'),
  of('invalid name', 'run', '--name', 'bad name!', IMAGE, 'true'),
  run('container command not found', 'nosuchcmd'),
  run('container command not found (abs path)', '/no/such'),
  run('container cmd not executable', '/etc/passwd'),
  run('container cmd is a directory', '/etc'),
  of('detached command not found', 'run', '-d', '--rm', '--network=none', IMAGE, 'nosuchcmd'),
  run('container exit code', 'sh', '-c', 'exit 42'),
  run('container killed by SIGKILL', 'sh', '-c', 'kill -9 $$'),
  withFlags('run --rm timeout option', ['--timeout', '1'], 'sleep', '30'),
  withFlags('bad workdir', ['-w', '/nosuch']),
  withFlags('relative workdir', ['-w', 'nosuch']),
  withFlags('bad user', ['-u', 'nosuch']),
  withFlags('bad group', ['-u', '0:nosuch']),
  withFlags('bad volume: relative dst', ['-v', '/tmp:rel']),
  withFlags('bad volume: missing src dir', ['-v', '/no/such:/x']),
  withFlags('bad volume option', ['-v', '/tmp:/x:bogus']),
  withFlags('bad volume: too many fields', ['-v', '/tmp:/x:ro:z']),
  withFlags('bad volume: empty', ['-v', '']),
  withFlags('volume name invalid', ['-v', 'bad name:/x']),
  withFlags('duplicate mount dst', ['-v', '/tmp:/x', '-v', '/etc:/x']),
  withFlags('bad --mount type', ['--mount', 'type=foo,dst=/x']),
  withFlags('--mount without dst', ['--mount', 'type=bind,src=/tmp']),
  withFlags('--mount bind missing source', ['--mount', 'type=bind,src=/no/such,dst=/x']),
  withFlags('bad --tmpfs option', ['--tmpfs', '/x:bogus']),
  of('bad port: non-number', 'run', '--rm', '-p', 'abc', IMAGE, 'true'),
  of('bad port: out of range', 'run', '--rm', '-p', '70000:80', IMAGE, 'true'),
  of('bad port: range mismatch', 'run', '--rm', '-p', '8000-8002:80-81', IMAGE, 'true'),
  of('bad port proto', 'run', '--rm', '-p', '8000:80/foo', IMAGE, 'true'),
  of('bad port ip', 'run', '--rm', '-p', '1.2.3:80:80', IMAGE, 'true'),
  withFlags('publish with network none', ['-p', '18080:80']),
  of('publish with network host', 'run', '--rm', '--network=host', '-p', '18080:80', IMAGE, 'true'),
  of('unknown network', 'run', '--rm', '--network', 'nosuch', IMAGE, 'true'),
  of('bad network mode', 'run', '--rm', '--network', 'container:nosuch', IMAGE, 'true'),
  withFlags('ip with none', ['--ip', '1.2.3.4']),
  withFlags('bad memory', ['--memory', 'foo']),
  withFlags('bad env-file', ['--env-file', '/no/such']),
  withFlags('bad env', ['-e', '=x']),
  withFlags('bad cap', ['--cap-add', 'NOPE']),
  withFlags('bad ulimit', ['--ulimit', 'foo']),
  withFlags('bad sysctl', ['--sysctl', 'foo']),
  withFlags('sysctl not namespaced', ['--sysctl', 'vm.swappiness=1']),
  withFlags('bad userns', ['--userns', 'foo']),
  withFlags('bad restart policy', ['--restart', 'foo']),
  withFlags('restart with rm', ['--restart', 'always']),
  withFlags('bad pull policy', ['--pull', 'foo']),
  withFlags('bad log driver', ['--log-driver', 'foo']),
  withFlags('bad device', ['--device', '/dev/nosuch']),
  withFlags('bad security opt', ['--security-opt', 'foo=bar']),
  withFlags('bad umask', ['--umask', '99']),
  withFlags('bad time zone', ['--tz', 'No/Where']),
  withFlags('bad stop signal', ['--stop-signal', 'NOPE']),
  withFlags('bad entrypoint', ['--entrypoint', '/no/such']),
  withFlags('bad attach', ['-a', 'nothing']),
  withFlags('attach with detach', ['-d', '-a', 'stdin']),
  withFlags('pid of an unknown container', ['--pid', 'container:nosuch']),
  withFlags('host name in the host’s UTS namespace', ['--uts=host', '-h', 'x']),
  withFlags('shm size in the host’s IPC namespace', ['--ipc=host', '--shm-size=1m']),
  withFlags('cpus and cpu-quota', ['--cpus=1', '--cpu-quota=1000']),
  withFlags('swap without memory', ['--memory-swap=1g']),
  withFlags('detach keys nobody can type', ['--detach-keys', 'foo', '-it']),
  withFlags('-t without a terminal', ['-t']),
  withFlags('-it without a terminal', ['-it']),
  of('cidfile exists', 'run', '--cidfile', '/etc/passwd', '--rm', IMAGE, 'true'),
  of('build: repository of steps with a tag', 'build', '--cache-to', 'localhost/x:tag', '-f', '/etc/passwd', '/etc'),
  of('build: repository of steps with a transport', 'build', '--cache-to', 'docker://r/x', '-f', '/etc/passwd', '/etc'),
  of('build: repository of steps in capitals', 'build', '--cache-to', 'UPPER/x', '-f', '/etc/passwd', '/etc'),
  of('build: second repository of steps', 'build', '--cache-to', 'localhost/x', '--cache-to', 'localhost/y:z', '-f', '/etc/passwd', '/etc'),
];

const CAPABILITIES = 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status';
const MOUNTS = 'sort -k 5 /proc/self/mountinfo';
const HOSTS = 'grep -v host.containers.internal /etc/hosts';
const PROCESS = 'id; pwd; umask; env | sort; cat /proc/self/oom_score_adj; cat /proc/sys/net/ipv4/ping_group_range';

/** What is to be seen inside of a container. */
export const FACTS: readonly Case[] = [
  inside('capabilities: default', [], CAPABILITIES),
  inside('capabilities: another user', ['-u', '1000'], CAPABILITIES),
  inside('capabilities: another user with one added', ['-u', '1000', '--cap-add=net_raw'], CAPABILITIES),
  inside('capabilities: added and dropped', ['--cap-add=sys_admin', '--cap-drop=chown,kill'], CAPABILITIES),
  inside('capabilities: none', ['--cap-drop=all'], CAPABILITIES),
  inside(
    'capabilities: no new privileges, no filter',
    ['--security-opt=no-new-privileges', '--security-opt=seccomp=unconfined'],
    CAPABILITIES,
  ),
  inside('process: default', ['-h', 'box'], PROCESS),
  inside('process: user, directory, umask', ['-h', 'box', '-u', 'worker', '-w', '/tmp', '--umask=077', '-e', 'A=b'], PROCESS),
  inside('process: entrypoint and terminal', ['-h', 'box', '-t', '--entrypoint', '["sh","-c","env | sort"]'], ''),
  inside('mounts: default', [], MOUNTS),
  inside('mounts: read-only', ['--read-only'], MOUNTS),
  inside('mounts: read-only, no tmpfs', ['--read-only', '--read-only-tmpfs=false'], MOUNTS),
  inside('mounts: volumes', ['-v', '/anonymous', '-v', '/etc/hostname:/bound:ro', '--tmpfs', '/small:size=1m'], MOUNTS),
  inside('mounts: masks lifted', ['--security-opt=unmask=ALL'], MOUNTS),
  inside('devices', [], 'cd /dev; stat -c "%A %t,%T %N" *'),
  inside('files', ['-h', 'box'], 'cat /etc/hostname /run/.containerenv; ls -A /; stat -c "%A %u %n" /*; ls -A /etc /root /tmp /run'),
  inside('hosts without network', ['-h', 'box', '--hosts-file=none', '--add-host=one:10.1.2.3'], `${HOSTS}; ls /etc/resolv.conf`),
  networked('hosts of pasta', 'pasta', ['-h', 'box', '--hosts-file=none', '--add-host=one:10.1.2.3'], HOSTS),
  networked('hosts of slirp4netns', 'slirp4netns', ['-h', 'box', '--hosts-file=none'], HOSTS),
  networked(
    'resolv.conf asked for',
    'pasta',
    ['--dns=10.0.0.1', '--dns-search=example.org', '--dns-option=ndots:2'],
    'cat /etc/resolv.conf',
  ),
  networked('resolv.conf of slirp4netns', 'slirp4netns', [], 'cat /etc/resolv.conf | head -n 1'),
  inside('id map: keep-id', ['--userns=keep-id:uid=1000,gid=1000'], 'id -u; stat -c %u:%g / /home/worker; wc -l < /proc/self/uid_map'),
  inside('id map: ranges', ['--uidmap=0:0:500', '--gidmap=0:0:100', '--gidmap=1000:1000:1'], 'cat /proc/self/uid_map /proc/self/gid_map'),
  inside('id map: nomap', ['--userns=nomap'], 'id -u; stat -c %u:%g / /home/worker; cat /proc/self/uid_map'),
  inside(
    'limits',
    ['--ulimit=nofile=100:200', '--ulimit', 'core=0', '--shm-size=1m'],
    'ulimit -n; ulimit -Hn; ulimit -c; df -k /dev/shm | tail -n 1',
  ),
  inside('namespaces are its own', [], 'set -- /proc/[0-9]*; echo $#; ls /sys/class/net; cat /proc/1/cmdline | tr "\\0" " "'),
];

export function of(name: string, ...argv: readonly string[]): Case {
  return { name, argv };
}

function run(name: string, ...command: readonly string[]): Case {
  return { name, argv: [...DISPOSABLE, IMAGE, ...command] };
}

function withFlags(name: string, flags: readonly string[], ...command: readonly string[]): Case {
  return { name, argv: [...DISPOSABLE, ...flags, IMAGE, ...(command.length === 0 ? ['true'] : command)] };
}

function inside(name: string, flags: readonly string[], script: string): Case {
  return { name, argv: [...DISPOSABLE, ...flags, IMAGE, ...(script === '' ? [] : ['sh', '-c', script])] };
}

function networked(name: string, network: string, flags: readonly string[], script: string): Case {
  return { name, argv: ['run', '--rm', '--network', network, ...flags, IMAGE, 'sh', '-c', script] };
}
