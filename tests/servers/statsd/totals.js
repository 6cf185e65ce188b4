// SPDX-License-Identifier: Apache-2.0
// A backend of the npm package statsd: at each flush prints, as one line of JSON, all that was counted
// since the start: {"counters":{NAME:N},"timers":{NAME:N},"gauges":{NAME:V},"bad":N}.  Ends with its stdin.
'use strict';

const totals = { counters: {}, timers: {}, gauges: {}, bad: 0 };

function add (to, from)
{
  for (const name of Object.keys (from))
    to[name] = (to[name] || 0) + from[name];
}

function flush (timestamp, metrics)
{
  add (totals.counters, metrics.counters);
  add (totals.timers, metrics.timer_counters);
  Object.assign (totals.gauges, metrics.gauges);
  totals.bad = totals.counters['statsd.bad_lines_seen'] || 0;
  process.stdout.write (JSON.stringify (totals) + '\n');
}

exports.init = function (startup, config, events)
{
  events.on ('flush', flush);
  process.stdin.on ('end', () => process.exit (0));
  process.stdin.resume ();
  return true;
};
