/** What a container says to its service manager, on its way: words, and descriptors through real sockets and the real process between them. */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { datagramSocket, sendDatagram, socketAddress } from '../../host/datagram.ts';
import { type Datagram, openMailbox, receiveMessage, sendMessage } from '../../host/message.ts';
import { identify } from '../../host/pid.ts';
import { passOn } from '../../libpod/monitor/notify.ts';
import { sort } from '../../libpod/monitor/notify-words.ts';

test.each([
  ['READY=1', { passedOn: '', isReady: true }],
  ['READY=1\nSTATUS=é: 1\n', { passedOn: 'STATUS=é: 1', isReady: true }],
  ['WATCHDOG=1', { passedOn: 'WATCHDOG=1', isReady: false }],
  ['RELOADING=1\nMONOTONIC_USEC=5', { passedOn: 'RELOADING=1\nMONOTONIC_USEC=5', isReady: false }],
  ['MAINPID=7\nMAINPIDFD=1\nMAINPIDFDID=3\nNOTIFYACCESS=none\nSTOPPING=1', { passedOn: 'STOPPING=1', isReady: false }],
  ['READY=10', { passedOn: 'READY=10', isReady: false }],
  ['', { passedOn: '', isReady: false }],
  ['\n\n', { passedOn: '', isReady: false }],
])('%j', (message, said) => {
  expect(sort(message)).toEqual(said);
});

describe('the process that passes it on', () => {
  let directory: string;
  const path = (name: string) => join(directory, name);
  beforeEach(() => {
    // Longer than an address of a socket can be.
    directory = mkdtempSync(join(tmpdir(), `lichen-notify-${'x'.repeat(100)}`));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const received = async (fd: number): Promise<Datagram> => {
    let message: Datagram | undefined;
    await expect.poll(() => (message = receiveMessage(fd, 8192)), { timeout: 10_000 }).toBeDefined();
    return message!;
  };

  test('descriptors go with their words, READY=1 to the monitor, what is too long nowhere; it ends with the monitor', async () => {
    const [manager, ready, sender] = [openMailbox(path('manager')), openMailbox(path('ready')), datagramSocket()];
    const monitor = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => monitor.once('exit', resolve));
    await passOn({ mailbox: path('mailbox'), manager: path('manager'), ready: path('ready'), monitor: identify(monitor.pid!)! });
    const send = (text: string, fds: readonly number[] = []) => {
      using to = socketAddress(path('mailbox'));
      expect(sendMessage(sender, to.bytes, { data: Buffer.from(text), fds })).toBe(text.length);
    };
    const file = openSync('/dev/null', 'r');
    send('x'.repeat(5000), [file]);
    send('MAINPID=1');
    send('FDSTORE=1\nFDNAME=one', [file, file]);
    const stored = await received(manager);
    expect(stored.data.toString()).toBe('FDSTORE=1\nFDNAME=one');
    expect(stored.fds.map((fd) => fstatSync(fd).rdev)).toEqual([fstatSync(file).rdev, fstatSync(file).rdev]);
    send('READY=1\nSTATUS=up');
    expect((await received(manager)).data.toString()).toBe('STATUS=up');
    expect((await received(ready)).data.toString()).toBe('READY=1');
    // Nobody hears these, and the ones after them are heard all the same.
    rmSync(path('ready'));
    send('READY=1');
    send('BARRIER=1', [file]);
    const barrier = await received(manager);
    expect([barrier.data.toString(), barrier.fds.length]).toEqual(['BARRIER=1', 1]);
    expect([receiveMessage(manager, 8192), receiveMessage(ready, 8192)]).toEqual([undefined, undefined]);
    monitor.kill('SIGKILL');
    await ended;
    await expect
      .poll(
        () => {
          try {
            sendDatagram(path('mailbox'), 'WATCHDOG=1');
            return 'heard';
          } catch (error) {
            return (error as Error).message;
          }
        },
        { timeout: 10_000 },
      )
      .toMatch(/^sendto .*mailbox: /);
    for (const fd of [manager, ready, sender, file, ...stored.fds, ...barrier.fds]) closeSync(fd);
  });

  test('a mailbox that cannot be made is an error that names it', async () => {
    const monitor = identify(process.pid)!;
    await expect(passOn({ mailbox: path('no/mailbox'), manager: 'x', ready: 'x', monitor })).rejects.toThrow(/no such file or directory/);
    closeSync(openMailbox(path('taken')));
    await expect(passOn({ mailbox: path('taken'), manager: 'x', ready: 'x', monitor })).rejects.toThrow(/^bind .*\/taken: /);
  });
});
