import type { ProcessNetwork } from './sandbox.js';

/**
 * System calls that a traced process does not have. A tracer translates the paths of the calls that it knows; with any
 * other, a path would mean a place on this machine. They fail as if the kernel were older (`ENOSYS`), and every C
 * library then takes an older call in their stead.
 */

interface Table {
  /** `AUDIT_ARCH_…` of `linux/audit.h`. */
  readonly arch: number;
  /** Numbers that differ from processor to processor. */
  readonly absent: readonly number[];
  readonly socket: number;
  /** One call for everything about sockets, on processors that have such a thing. */
  readonly socketCall?: number;
}

const ENOSYS = 38;
const ENETUNREACH = 101;

/** statx, execveat, name_to_handle_at, open_by_handle_at; and of what runs beside it, with a tracer for both. */
const tables: Readonly<Partial<Record<NodeJS.Architecture, readonly Table[]>>> = {
  x64: [
    { arch: 0xc000003e, absent: [332, 322, 303, 304], socket: 41 },
    { arch: 0x40000003, absent: [383, 358, 341, 342], socket: 359, socketCall: 102 },
  ],
  arm64: [
    { arch: 0xc00000b7, absent: [291, 281, 264, 265], socket: 198 },
    { arch: 0x40000028, absent: [397, 387, 370, 371], socket: 281 },
  ],
};

/** From here on all processors have the same numbers. */
const firstCommon = 424;
/**
 * Of those, the ones without paths: pidfd_send_signal, pidfd_open, close_range, process_madvise, epoll_pwait2, landlock,
 * process_mrelease, futex_waitv, set_mempolicy_home_node, cachestat, map_shadow_stack, futex_wake, _wait and _requeue, mseal.
 */
const harmless = [424, 434, 436, 440, 441, 444, 445, 446, 448, 449, 450, 451, 453, 454, 455, 456, 462];

/** No call has this number. */
const never = 0xffffffff;

export interface FilterOptions {
  /** Whether paths have to be translated. */
  readonly traced: boolean;
  /** `none` leaves local sockets. */
  readonly network: ProcessNetwork;
}

/** Lines for the launcher, one for each kind of program that this processor runs; none when there is nothing to refuse. */
export function systemCallFilter(architecture: NodeJS.Architecture, { traced, network }: FilterOptions): string[] {
  const closed = network === 'none';
  if (!traced && !closed) return [];
  return (tables[architecture] ?? []).map(({ arch, absent, socket, socketCall }) => {
    const refused = traced ? absent.map(number => `${number}=${ENOSYS}`) : [];
    if (closed && socketCall !== undefined) refused.push(`${socketCall}=${ENETUNREACH}`);
    const [first, known] = traced ? [firstCommon, harmless.join(',')] : [never, ''];
    return [arch, first, known, refused.join(','), closed ? `${socket}=${ENETUNREACH}` : ''].join(';');
  });
}
