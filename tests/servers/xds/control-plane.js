// SPDX-License-Identifier: Apache-2.0
// A control plane of the xDS tests: one cluster, its endpoints told to C-core's own client by
// the aggregated discovery service, with the protos that grpc-js-xds ships.
//
//   NODE_PATH=FOLDER-OF-THE-PACKAGES node control-plane.js NAME
//
// Prints its port of 127.0.0.1 and ends with its stdin.  Each line there is answered by one:
//
//   endpoints PORT…  those of 127.0.0.1 that xds:///NAME is from now on
//   streams          how many clients listen
//   leave            its port is closed, and all connections are
//   return           it serves again, at the same port
//
// What a client refuses is said on stderr.
'use strict';

const path = require('node:path');
const readline = require('node:readline');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const CLUSTER = 'cluster';
const ROUTES = 'routes';
const name = process.argv[2];
const deps = path.join(path.dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'deps');
const { discovery } = grpc.loadPackageDefinition(loader.loadSync([
  'envoy/config/cluster/v3/cluster.proto',
  'envoy/config/endpoint/v3/endpoint.proto',
  'envoy/config/listener/v3/listener.proto',
  'envoy/config/route/v3/route.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/service/discovery/v3/ads.proto',
], {
  keepCase: true,
  includeDirs: ['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds'].map((folder) => path.join(deps, folder)),
})).envoy.service;

// ------------------------------------------------------------------- resources

const TYPE = 'type.googleapis.com/envoy.';
const FILTERS = `${TYPE}extensions.filters`;
const ADS = { ads: {}, resource_api_version: 'V3' };

function listener() {
  return {
    name,
    api_listener: {
      api_listener: {
        '@type': `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
        rds: { route_config_name: ROUTES, config_source: ADS },
        http_filters: [{ name: 'router', typed_config: { '@type': `${FILTERS}.http.router.v3.Router` } }],
      },
    },
  };
}

function routes() {
  const route = { match: { prefix: '' }, route: { cluster: CLUSTER } };
  return { name: ROUTES, virtual_hosts: [{ name, domains: ['*'], routes: [route] }] };
}

function cluster() {
  return { name: CLUSTER, type: 'EDS', eds_cluster_config: { eds_config: ADS }, lb_policy: 'ROUND_ROBIN' };
}

function endpoints(ports) {
  const all = ports.map((port) => ({
    health_status: 'HEALTHY',
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
  }));
  const locality = { locality: { region: 'here' }, load_balancing_weight: { value: 1 }, lb_endpoints: all };
  return { cluster_name: CLUSTER, endpoints: [locality] };
}

const ENDPOINTS = `${TYPE}config.endpoint.v3.ClusterLoadAssignment`;
const resources = new Map([
  [`${TYPE}config.listener.v3.Listener`, listener()],
  [`${TYPE}config.route.v3.RouteConfiguration`, routes()],
  [`${TYPE}config.cluster.v3.Cluster`, cluster()],
  [ENDPOINTS, endpoints([])],
]);

// ------------------------------------------------------------------- discovery

const streams = new Map();   // each with the types that its client has asked for
let version = 0;

function tell(stream, type) {
  stream.write({
    version_info: `${version}`,
    nonce: `${version}`,
    type_url: type,
    resources: [{ '@type': type, ...resources.get(type) }],
  });
}

// The first request for a type is a question; those after it answer what we have told.
function heed(stream, { type_url: type, error_detail: refusal }) {
  const asked = streams.get(stream);
  if (refusal) console.error(`${type} was refused: ${refusal.message}`);
  if (asked.has(type) || !resources.has(type)) return;
  asked.add(type);
  tell(stream, type);
}

function streamAggregatedResources(stream) {
  streams.set(stream, new Set());
  stream.on('data', (request) => heed(stream, request));
  stream.on('end', () => stream.end());
  for (const last of ['end', 'cancelled', 'error']) stream.on(last, () => streams.delete(stream));
}

function serve(ports) {
  version++;
  resources.set(ENDPOINTS, endpoints(ports));
  for (const [stream, asked] of streams) if (asked.has(ENDPOINTS)) tell(stream, ENDPOINTS);
  return version;
}

// --------------------------------------------------------------------- serving

function obey(line) {
  const [verb, ...ports] = line.split(' ');
  switch (verb) {
    case 'endpoints': return serve(ports.map(Number));
    case 'streams': return streams.size;
    case 'leave': server.forceShutdown(); return 'left';
    case 'return': return listen(port);
    default: return `no such line: ${line}`;
  }
}

let server, port;

// The port, when it listens there.
function listen(wanted) {
  server = new grpc.Server();
  server.addService(discovery.v3.AggregatedDiscoveryService.service, { streamAggregatedResources });
  return new Promise((done, failed) => {
    server.bindAsync(`127.0.0.1:${wanted}`, grpc.ServerCredentials.createInsecure(),
                     (error, bound) => (error ? failed(error) : done(bound)));
  });
}

async function main() {
  port = await listen(0);
  console.log(port);
  for await (const line of readline.createInterface({ input: process.stdin })) console.log(await obey(line));
  process.exit(0);
}

main();
