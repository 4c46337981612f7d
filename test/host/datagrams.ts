/** A server and a client of UDP. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** For `perl -e`, with the port as argument: sends every datagram back, over IPv4 and IPv6. */
export const ECHO = `use IO::Socket::IP; my $s = IO::Socket::IP->new(LocalHost => '::', LocalPort => $ARGV[0], Proto => 'udp', V6Only => 0) or die $@;
while ($s->recv(my $d, 999)) { $s->send($d) }`;

export async function connected(address: string, port: number): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.connect(port, address);
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}

/** What comes back for a text, which is said again every second until something does. */
export async function answerTo(socket: Socket, text: string): Promise<string> {
  for (;;) {
    socket.send(text);
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(1000) });
    const [message] = (await answer.catch(() => [])) as [Buffer?];
    if (message !== undefined) return message.toString();
  }
}

/** The same for `hello`, from a new client. */
export async function askUdp(address: string, port: number): Promise<string> {
  await using socket = await connected(address, port);
  return await answerTo(socket, 'hello');
}
