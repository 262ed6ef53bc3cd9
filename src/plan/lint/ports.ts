import { type Finding, type FindingPlace, finding } from '../../dockerfile/lint/finding.js';

/** ExposeProtoCasing and ExposeInvalidFormat, of a word of EXPOSE after expansion. */
export function lintPort(word: string, place: FindingPlace): Finding[] {
  const parts = word.split(':');
  const [port = '', protocol = ''] = splitOnce(parts.pop()!);
  if (port === '' || !['', 'tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) return [];
  const findings: Finding[] = [];
  if (protocol !== protocol.toLowerCase()) {
    const message = `Defined protocol '${word}' in EXPOSE instruction should be lowercase`;
    findings.push(finding('ExposeProtoCasing', place, message, `Write ${port}/${protocol.toLowerCase()}.`));
  }
  if (parts.some(part => part !== '')) {
    const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${word}'`;
    findings.push(finding('ExposeInvalidFormat', place, message, `Write ${port}, and say the rest when it runs.`));
  }
  return findings;
}

function splitOnce(text: string): [string, string] {
  const slash = text.indexOf('/');
  return slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)];
}
