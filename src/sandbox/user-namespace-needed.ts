import type { UserNamespace } from './user-namespace.js';

/** Thrown where a build needs the namespace, and the builder can start itself anew in it. */
export class UserNamespaceNeeded extends Error {
  override readonly name = 'UserNamespaceNeeded';
  readonly namespace: UserNamespace;
  constructor(namespace: UserNamespace) {
    super('a command needs a user namespace');
    this.namespace = namespace;
  }
}
