// SPDX-License-Identifier: Apache-2.0
// An OpenTelemetry collector's ear: OTLP's MetricsService on grpc-js, decoded by what upstream makes of its
// own .proto files (the npm package's generated root).
//
//   NODE_PATH=FOLDER-OF-THE-PACKAGES node collector.js
//
// Prints its port of 127.0.0.1, and ends with its stdin.  Each line there is answered by one:
//
//   exports                  how many it was sent
//   await N                  the same, once they are N
//   strange                  how many had what upstream's messages do not
//   sum NAME [KEY=VALUE]...  of the last export: what the points of NAME with these attributes first add up
//                            to (of histograms: their counts); absent: there is none
//   times NAME               of its first point there: start and time, in ns
//   form NAME                "sum cumulative monotonic", "gauge", "histogram cumulative s"
//   resource KEY             its value
//   answer STATUS            exports end with this number of gRPC's from now on
//   reject N MESSAGE         so many points of each export are rejected from now on; 0: none
'use strict';

const readline = require('node:readline');
const grpc = require('@grpc/grpc-js');
const { opentelemetry } = require('@opentelemetry/otlp-grpc-exporter-base/build/src/generated/root');

const { collector, metrics } = opentelemetry.proto;
const Request = collector.metrics.v1.ExportMetricsServiceRequest;
const Response = collector.metrics.v1.ExportMetricsServiceResponse;
const CUMULATIVE = metrics.v1.AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE;

let exports_ = 0;
let strange = 0;
let last = null;
let status = 0;
let partialSuccess = null;
let waiting = [];            // of [n, resolve]

// ----------------------------------------------------------------- the service

// What upstream's messages do not have is gone when they are written again.
function decode(bytes) {
  const message = Request.decode(bytes);
  if (Request.encode(message).finish().length !== bytes.length) strange++;
  return message;
}

function receive(call, answer) {
  exports_++;
  last = call.request;
  if (status === 0) answer(null, partialSuccess ? { partialSuccess } : {});
  else answer({ code: status, details: 'as it was told' });
  for (const [n, resolve] of waiting) if (exports_ >= n) resolve(exports_);
  waiting = waiting.filter(([n]) => exports_ < n);
}

const service = {
  export: {
    path: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
    requestStream: false,
    responseStream: false,
    requestDeserialize: decode,
    responseSerialize: (message) => Buffer.from(Response.encode(message).finish()),
  },
};

// ------------------------------------------------------------- the last export

function find(name) {
  return last?.resourceMetrics[0].scopeMetrics[0].metrics.find((metric) => metric.name === name);
}

function points(metric) {
  return (metric.sum ?? metric.gauge ?? metric.histogram).dataPoints;
}

function begins(point, wanted) {
  return wanted.every((text, i) => text === `${point.attributes[i]?.key}=${point.attributes[i]?.value.stringValue}`);
}

function sum(name, wanted) {
  const metric = find(name);
  const found = metric ? points(metric).filter((point) => begins(point, wanted)) : [];
  if (found.length === 0) return 'absent';
  // A 0 that is not on the wire is null here.
  return found.reduce((total, point) => total + BigInt(String(metric.histogram ? point.count ?? 0 : point.asInt)), 0n);
}

function times(name) {
  const point = find(name) ? points(find(name))[0] : null;
  return point ? `${point.startTimeUnixNano} ${point.timeUnixNano}` : 'absent';
}

function temporality(data) {
  return data.aggregationTemporality === CUMULATIVE ? 'cumulative' : 'not cumulative';
}

function form(name) {
  const metric = find(name);
  if (metric?.sum) return `sum ${temporality(metric.sum)}${metric.sum.isMonotonic ? ' monotonic' : ''}`;
  if (metric?.histogram) return `histogram ${temporality(metric.histogram)} ${metric.unit}`;
  return metric?.gauge ? 'gauge' : 'absent';
}

function resource(key) {
  return last?.resourceMetrics[0].resource.attributes.find((a) => a.key === key)?.value.stringValue ?? 'absent';
}

// --------------------------------------------------------------------- obeying

function arrived(n) {
  return exports_ >= n ? exports_ : new Promise((resolve) => { waiting.push([n, resolve]); });
}

async function obey(line) {
  const [verb, argument, ...rest] = line.split(' ');
  switch (verb) {
    case 'exports': return exports_;
    case 'await': return arrived(Number(argument));
    case 'strange': return strange;
    case 'sum': return sum(argument, rest);
    case 'times': return times(argument);
    case 'form': return form(argument);
    case 'resource': return resource(argument);
    case 'answer': status = Number(argument); return status;
    case 'reject':
      partialSuccess = argument === '0' ? null : { rejectedDataPoints: Number(argument), errorMessage: rest.join(' ') };
      return argument;
    default: return `no such line: ${line}`;
  }
}

async function main() {
  const server = new grpc.Server();
  server.addService(service, { export: receive });
  const port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(),
      (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  console.log(port);
  for await (const line of readline.createInterface({ input: process.stdin })) console.log(String(await obey(line)));
  process.exit(0);
}

main();
