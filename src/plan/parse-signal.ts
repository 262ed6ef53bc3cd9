import { invalidValue } from './refusal.js';

const names = new Set(
  (
    'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
    'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'
  ).split(' '),
);

/**
 * Checks a STOPSIGNAL: a Linux signal by name, with or without `SIG`, in any case, or any number but 0. Returns it as
 * it is written, for that is what goes into the image.
 * @throws LadingError INVALID_VALUE
 */
export function parseSignal(text: string): string {
  if (/^[+-]?\d+$/.test(text) ? Number(text) !== 0 : isName(text.toUpperCase().replace(/^SIG/, ''))) return text;
  const hint = 'A signal is a name such as SIGTERM or KILL, RTMIN+1 to RTMIN+15, RTMAX-14 to RTMAX-1, or a number.';
  throw invalidValue('signal', text, `invalid signal: ${text}`, hint);
}

function isName(name: string): boolean {
  if (names.has(name)) return true;
  const realTime = /^(RTMIN\+|RTMAX-)([1-9]\d?)$/.exec(name);
  return realTime !== null && Number(realTime[2]) <= (realTime[1] === 'RTMIN+' ? 15 : 14);
}
