// Asks for a URL again and again, and says for each answer what its status was and how long it took.
// TARGET: host or URL; METHOD: HTTP method; INTERVAL: milliseconds from one request to the next;
// COUNT: requests until it ends by itself (0: never).
const http = require('node:http');
const https = require('node:https');

const { TARGET = 'localhost', METHOD = 'HEAD', INTERVAL = '3000', COUNT = '0' } = process.env;
const url = new URL(/^https?:\/\//.test(TARGET) ? TARGET : `https://${TARGET}`);
const interval = Number(INTERVAL);
const last = Number(COUNT);
if (!(interval > 0)) throw new RangeError(`INTERVAL must be a number of milliseconds, not "${INTERVAL}"`);

function ping(number) {
  const start = performance.now();
  const report = result => console.log(`#${number} ${METHOD} ${url.href} ${result} ${Math.round(performance.now() - start)} ms`);
  const request = (url.protocol === 'https:' ? https : http).request(url, { method: METHOD, timeout: interval * 10 });
  request.on('response', response => {
    response.resume();
    response.on('end', () => report(response.statusCode));
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  request.on('error', error => report(error.code ?? error.message));
  request.end();
}

let number = 0;
const timer = setInterval(next, interval);

function next() {
  number += 1;
  if (number === last) clearInterval(timer);
  ping(number);
}

console.log(`pinging ${url.href} with ${METHOD} every ${interval} ms`);
next();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
