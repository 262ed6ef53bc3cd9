import type { HealthcheckInstruction } from '../ast.js';
import { parseDuration } from '../duration.js';
import { flagTables, parseFlags } from '../flags.js';
import { quote } from '../go-text.js';
import { Problem } from '../problem.js';
import type { Placement, Statement } from '../statement.js';
import { commandLine } from './command-line.js';
import { makeNode, requireArguments } from './node.js';

/** `HEALTHCHECK NONE` and `HEALTHCHECK [flags] CMD command` */
export function parseHealthcheck(statement: Statement, place: Placement): HealthcheckInstruction {
  requireArguments(statement);
  const [written, ...words] = statement.words;
  const type = written!.toUpperCase();
  if (type === 'NONE') {
    if (words.length > 0) throw new Problem('HEALTHCHECK NONE takes no arguments');
    return makeNode('HEALTHCHECK', statement, place, { check: { type: 'none' } });
  }

  const flags = parseFlags(statement.flags, flagTables.HEALTHCHECK);
  if (type !== 'CMD') {
    throw new Problem(`Unknown type ${quote(type)} in HEALTHCHECK (try CMD)`, 'Write HEALTHCHECK CMD command.');
  }
  if (words.length === 0) throw new Problem('Missing command after HEALTHCHECK CMD');
  return makeNode('HEALTHCHECK', statement, place, {
    check: {
      type: 'cmd',
      command: commandLine(words, statement.json),
      interval: parseInterval('interval', flags.interval),
      timeout: parseInterval('timeout', flags.timeout),
      startPeriod: parseInterval('start-period', flags['start-period']),
      startInterval: parseInterval('start-interval', flags['start-interval']),
      retries: parseRetries(flags.retries),
    },
  });
}

/** Nothing for an empty or zero duration: the default applies. */
function parseInterval(name: string, value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined;
  const duration = parseDuration(value);
  if (duration === 0) return undefined;
  if (duration < 1e6) throw new Problem(`Interval ${quote(name)} cannot be less than 1ms`);
  return duration;
}

function parseRetries(value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined;
  const parsing = `strconv.ParseInt: parsing ${quote(value)}`;
  if (!/^[+-]?\d+$/.test(value)) throw new Problem(`${parsing}: invalid syntax`, 'Write --retries=NUMBER.');
  const retries = Number(value);
  if (retries > 2 ** 31 - 1 || retries < -(2 ** 31)) throw new Problem(`${parsing}: value out of range`);
  if (retries < 0) throw new Problem(`--retries cannot be negative (${retries})`);
  return retries === 0 ? undefined : retries;
}
