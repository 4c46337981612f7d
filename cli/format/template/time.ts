/** Go's time.Time as far as templates meet it: printing, JSON, Format, Unix and the parts of a date. */

const NANOS_PER_SECOND = 1_000_000_000n;
/** Year 1, Go's zero time, in seconds since 1970. */
const ZERO_SECONDS = -62_135_596_800n;

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

export class GoTime {
  readonly seconds: bigint;
  readonly nanos: number;
  /** Minutes east of UTC, for showing. */
  readonly #offset: number;
  readonly #zone: string;

  /** `zone` is the abbreviation that belongs to the offset (`CET`). */
  constructor(nanosSinceEpoch: bigint, offsetMinutes = 0, zone = 'UTC') {
    const nanos = ((nanosSinceEpoch % NANOS_PER_SECOND) + NANOS_PER_SECOND) % NANOS_PER_SECOND;
    this.seconds = (nanosSinceEpoch - nanos) / NANOS_PER_SECOND;
    this.nanos = Number(nanos);
    this.#offset = offsetMinutes;
    this.#zone = zone;
  }

  static zero(): GoTime {
    return new GoTime(ZERO_SECONDS * NANOS_PER_SECOND);
  }

  /** RFC 3339, up to nanoseconds. Undefined if the text is something else. */
  static parse(text: string): GoTime | undefined {
    const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|([+-])(\d\d):(\d\d))$/.exec(text);
    const ms = match ? Date.parse(`${match[1]}Z`) : Number.NaN;
    if (!match || Number.isNaN(ms)) return undefined;
    const offset = match[3] === 'Z' ? 0 : (match[4] === '-' ? -1 : 1) * (Number(match[5]) * 60 + Number(match[6]));
    const nanos = BigInt((match[2] ?? '').padEnd(9, '0'));
    return new GoTime(BigInt(ms / 1000 - offset * 60) * NANOS_PER_SECOND + nanos, offset, offset === 0 ? 'UTC' : '');
  }

  /** `2006-01-02 15:04:05.999999999 -0700 MST` */
  toString(): string {
    return this.format('2006-01-02 15:04:05.999999999 -0700 MST');
  }

  /** RFC 3339 with as many digits as are needed. */
  toJSON(): string {
    return this.format('2006-01-02T15:04:05.999999999Z07:00');
  }

  method(name: string): ((...args: readonly string[]) => unknown) | undefined {
    return Object.hasOwn(METHODS, name) ? bind(this, METHODS[name]!) : undefined;
  }

  nanosSinceEpoch(): bigint {
    return this.seconds * NANOS_PER_SECOND + BigInt(this.nanos);
  }

  inUtc(): GoTime {
    return new GoTime(this.nanosSinceEpoch());
  }

  /** The instant's date in its own zone, to be read with the getUTC… methods. */
  date(): Date {
    return new Date((Number(this.seconds) + this.#offset * 60) * 1000);
  }

  /** Go's layouts: the reference time Mon Jan 2 15:04:05 2006 -0700 MST written as the output is wanted. */
  format(layout: string): string {
    const date = this.date();
    let out = '';
    let rest = layout;
    while (rest !== '') {
      const part = PART.exec(rest);
      if (!part) return out + rest;
      out += rest.slice(0, part.index) + this.#part(part[0], date);
      rest = rest.slice(part.index + part[0].length);
    }
    return out;
  }

  #part(part: string, date: Date): string {
    if (/^[.,]/.test(part)) return this.#fraction(part);
    const hour12 = date.getUTCHours() % 12 || 12;
    switch (part) {
      case '2006':
        return String(date.getUTCFullYear()).padStart(4, '0');
      case '06':
        return two(date.getUTCFullYear() % 100);
      case 'January':
        return MONTHS[date.getUTCMonth()]!;
      case 'Jan':
        return MONTHS[date.getUTCMonth()]!.slice(0, 3);
      case '01':
        return two(date.getUTCMonth() + 1);
      case '1':
        return String(date.getUTCMonth() + 1);
      case 'Monday':
        return DAYS[date.getUTCDay()]!;
      case 'Mon':
        return DAYS[date.getUTCDay()]!.slice(0, 3);
      case '02':
        return two(date.getUTCDate());
      case '_2':
        return String(date.getUTCDate()).padStart(2);
      case '2':
        return String(date.getUTCDate());
      case '15':
        return two(date.getUTCHours());
      case '03':
        return two(hour12);
      case '3':
        return String(hour12);
      case '04':
        return two(date.getUTCMinutes());
      case '4':
        return String(date.getUTCMinutes());
      case '05':
        return two(date.getUTCSeconds());
      case '5':
        return String(date.getUTCSeconds());
      case 'PM':
        return date.getUTCHours() < 12 ? 'AM' : 'PM';
      case 'pm':
        return date.getUTCHours() < 12 ? 'am' : 'pm';
      case 'MST':
        return this.#zone === '' ? this.#numericZone('') : this.#zone;
      case 'Z07:00':
        return this.#offset === 0 ? 'Z' : this.#numericZone(':');
      case 'Z0700':
        return this.#offset === 0 ? 'Z' : this.#numericZone('');
      case '-07:00':
        return this.#numericZone(':');
      case '-0700':
        return this.#numericZone('');
      default:
        return this.#numericZone('').slice(0, 3);
    }
  }

  #fraction(part: string): string {
    const digits = String(this.nanos)
      .padStart(9, '0')
      .slice(0, part.length - 1);
    if (part[1] === '0') return part[0] + digits;
    const significant = digits.replace(/0+$/, '');
    return significant === '' ? '' : part[0] + significant;
  }

  #numericZone(separator: string): string {
    const minutes = Math.abs(this.#offset);
    return `${this.#offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${separator}${two(minutes % 60)}`;
  }
}

const PART = /2006|January|Jan|Monday|Mon|MST|Z07:00|Z0700|-07:00|-0700|-07|[.,](?:0{1,9}|9{1,9})(?!\d)|_2|0[1-6]|15|PM|pm|[1-5]/;

function two(value: number): string {
  return String(value).padStart(2, '0');
}

type TimeMethod = (time: GoTime, ...args: readonly string[]) => unknown;

const METHODS: Readonly<Record<string, TimeMethod>> = {
  Format: (time, layout) => time.format(layout ?? ''),
  String: (time) => time.toString(),
  Unix: (time) => Number(time.seconds),
  UnixMilli: (time) => Number(time.seconds) * 1000 + Math.floor(time.nanos / 1_000_000),
  UnixMicro: (time) => Number(time.seconds) * 1_000_000 + Math.floor(time.nanos / 1000),
  UnixNano: (time) => time.nanosSinceEpoch(),
  Year: (time) => time.date().getUTCFullYear(),
  Month: (time) => MONTHS[time.date().getUTCMonth()],
  Day: (time) => time.date().getUTCDate(),
  Weekday: (time) => DAYS[time.date().getUTCDay()],
  Hour: (time) => time.date().getUTCHours(),
  Minute: (time) => time.date().getUTCMinutes(),
  Second: (time) => time.date().getUTCSeconds(),
  Nanosecond: (time) => time.nanos,
  IsZero: (time) => time.seconds === ZERO_SECONDS && time.nanos === 0,
  UTC: (time) => time.inUtc(),
};

/** A method whose `length` is the number of arguments it takes in a template. */
function bind(time: GoTime, method: TimeMethod): (...args: readonly string[]) => unknown {
  return method.length > 1 ? (argument) => method(time, argument) : () => method(time);
}
