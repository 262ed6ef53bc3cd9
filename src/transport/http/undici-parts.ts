/**
 * What we need of undici. All of it takes 80 ms to load, most of them for what we do not use; these take 20. They are no
 * public names of the package, so a release is made with the very version that it was tried with: it is in the bundle.
 */
import connect from 'undici/lib/api/api-connect.js';
import request from 'undici/lib/api/api-request.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';

// As the package itself does when all of it is loaded; tunnels are made by `connect`.
Object.assign(Dispatcher.prototype, { connect, request });

export { Agent, Pool, ProxyAgent };
