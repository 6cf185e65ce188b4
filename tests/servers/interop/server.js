// SPDX-License-Identifier: Apache-2.0
// The server of the interop tests: gRPC's TestService and Health on grpc-js, an
// implementation of gRPC that shares nothing with C-core.
//
//   NODE_PATH=FOLDER-OF-THE-PACKAGES node server.js
//
// Prints two ports of 127.0.0.1, its own and that of a server that compresses though nobody
// asked, and ends with its stdin. Each line there is answered by one:
//
//   calls        how many calls it has taken
//   cancelled    how many of them were given up by their client
//   renew        restarts as a server should: the old one ends gracefully, a new one is there at once
//   serve NAME   what it says of its health: SERVING or NOT_SERVING
'use strict';

const http2 = require('node:http2');
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');
const zlib = require('node:zlib');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { HealthImplementation } = require('grpc-health-check');

const { testing } = grpc.loadPackageDefinition(
  loader.loadSync(path.join(__dirname, 'interop.proto'), { keepCase: true })).grpc;
const health = new HealthImplementation({ '': 'SERVING' });
let calls = 0;
let cancelled = 0;

// ------------------------------------------------------------------- TestService

const ECHO_INITIAL = 'x-grpc-test-echo-initial';
const ECHO_TRAILING = 'x-grpc-test-echo-trailing-bin';
const COMPRESSABLE = 0;

// The values of KEY in what the client sent, as metadata of our own.
function echo(call, key) {
  const metadata = new grpc.Metadata();
  for (const value of call.metadata.get(key)) metadata.add(key, value);
  return metadata;
}

function begin(call) {
  calls++;
  call.on('cancelled', () => { cancelled++; });
  if (call.metadata.get(ECHO_INITIAL).length > 0) call.sendMetadata(echo(call, ECHO_INITIAL));
}

function payload(size) {
  return { body: Buffer.alloc(size) };
}

// What a request asks to fail with; null: it asks for an answer.
function fault(request, trailing) {
  const type = request.response_type ?? COMPRESSABLE;
  if (request.response_status)
    return { code: request.response_status.code, details: request.response_status.message, metadata: trailing };
  if (type !== COMPRESSABLE && type !== 'COMPRESSABLE')
    return { code: grpc.status.INVALID_ARGUMENT, details: `no payload of type ${type}`, metadata: trailing };
  return null;
}

async function respond(call, request) {
  for (const { size, interval_us: us } of request.response_parameters ?? []) {
    if (us) await sleep(us / 1000);
    call.write({ payload: payload(size) });
  }
}

function emptyCall(call, answer) {
  begin(call);
  answer(null, {}, echo(call, ECHO_TRAILING));
}

function unaryCall(call, answer) {
  const trailing = echo(call, ECHO_TRAILING);
  begin(call);
  answer(fault(call.request, trailing), { payload: payload(call.request.response_size ?? 0) }, trailing);
}

function streamingInputCall(call, answer) {
  let size = 0;
  begin(call);
  call.on('data', (request) => { size += request.payload?.body?.length ?? 0; });
  call.on('end', () => answer(null, { aggregated_payload_size: size }, echo(call, ECHO_TRAILING)));
}

async function streamingOutputCall(call) {
  const trailing = echo(call, ECHO_TRAILING);
  begin(call);
  const wrong = fault(call.request, trailing);
  if (wrong) return call.emit('error', wrong);
  await respond(call, call.request);
  return call.end(trailing);
}

async function converse(call) {
  const trailing = echo(call, ECHO_TRAILING);
  begin(call);
  // As the default has it, the end of what is read would be the end of what is written.
  for await (const request of call.iterator({ destroyOnReturn: false })) {
    const wrong = fault(request, trailing);
    if (wrong) return call.emit('error', wrong);
    await respond(call, request);
  }
  return call.end(trailing);
}

// A client may give the call up while it is waited for.
function fullDuplexCall(call) {
  converse(call).catch((error) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}

// ----------------------------------------------------------------------- serving

function newServer() {
  const server = new grpc.Server();
  server.addService(testing.TestService.service,
    { emptyCall, unaryCall, streamingInputCall, streamingOutputCall, fullDuplexCall });
  health.addToServer(server);
  return { server, injector: server.createConnectionInjector(grpc.ServerCredentials.createInsecure()) };
}

let current = newServer();

function renew() {
  const old = current.server;
  current = newServer();
  return new Promise((resolve) => { old.tryShutdown(() => resolve('renewed')); });
}

// Answers everything with a message that gzip has made small, to clients that accept none of it.
function compress(stream) {
  const small = zlib.gzipSync(Buffer.alloc(64 << 20));
  const head = Buffer.from([1, 0, 0, 0, 0]);
  head.writeUInt32BE(small.length, 1);
  stream.on('error', () => {});
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([head, small]));
}

function listen(server) {
  return new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(server.address().port)); });
}

async function obey(line) {
  const [verb, argument] = line.split(' ');
  switch (verb) {
    case 'calls': return calls;
    case 'cancelled': return cancelled;
    case 'renew': return renew();
    case 'serve': health.setStatus('', argument); return argument;
    default: return `no such line: ${line}`;
  }
}

async function main() {
  // One port for all servers that take each other's place: the sockets are handed on.
  const port = await listen(net.createServer((socket) => current.injector.injectConnection(socket)));
  const compressing = await listen(http2.createServer().on('stream', compress));
  console.log(`${port} ${compressing}`);
  for await (const line of readline.createInterface({ input: process.stdin })) console.log(await obey(line));
  process.exit(0);
}

main();
