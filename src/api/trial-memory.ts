import type { TrialMemory } from '../sandbox/tried-before.js';
import type { Store } from '../store/store.js';

/** Keeps in the store which ways of running processes have worked here since the machine was started. */
export function trialMemory({ notes }: Pick<Store, 'notes'>): TrialMemory {
  return {
    worked: async key => (await notes.getNotes(key)) !== undefined,
    remember: key => notes.putNotes(key, [Buffer.from('worked')]),
  };
}
