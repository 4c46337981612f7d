/** A name server for one name on UDP port 53 of an address of this machine: what a test host has as its resolver. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const HEADER = 12;
const TYPE_A = 1;
const NXDOMAIN = 3;

export interface NameServer extends AsyncDisposable {
  /** Names that were asked for, each as often as it was. */
  readonly asked: readonly string[];
}

/** Needs root, and nobody else at that port. Knows `name` to have the IPv4 address `answer`, and no other name. */
export async function serveName(address: string, name: string, answer: string): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, { address: from, port }) => {
    const question = questionOf(query);
    asked.push(question.name);
    socket.send(reply(query, question, question.name === name ? answer : undefined), port, from);
  });
  socket.bind(53, address);
  await once(socket, 'listening');
  return { asked, [Symbol.asyncDispose]: () => closed(socket) };
}

async function closed(socket: Socket): Promise<void> {
  const end = once(socket, 'close');
  socket.close();
  await end;
}

interface Question {
  readonly name: string;
  readonly type: number;
  /** Where it ends in the message. */
  readonly end: number;
}

/** RFC 1035, 4.1.2. */
function questionOf(query: Buffer): Question {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** A known name has no address of another type. */
function reply(query: Buffer, { type, end }: Question, answer: string | undefined): Buffer {
  const header = Buffer.from(query.subarray(0, HEADER));
  const hasAnswer = answer !== undefined && type === TYPE_A;
  header.writeUInt16BE(0x8180 | (answer === undefined ? NXDOMAIN : 0), 2);
  [1, hasAnswer ? 1 : 0, 0, 0].forEach((count, index) => header.writeUInt16BE(count, 4 + 2 * index));
  // A pointer to the name in the question, type, class, 60 s, four bytes.
  const record = hasAnswer ? [0xc0, HEADER, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4, ...answer.split('.').map(Number)] : [];
  return Buffer.concat([header, query.subarray(HEADER, end), Buffer.from(record)]);
}
