/** What a process tells whoever started it. */
export const exitCode = { done: 0, failed: 1, misused: 2, interrupted: 130 } as const;
