// SPDX-License-Identifier: Apache-2.0
// Asks for /page.json each second and shows what it says.  Whatever comes from there is text, never markup.
"use strict";

const STEP_MS = 1000;          // between two questions
const MAX_STEP_MS = 2000;      // and where nobody answers
const PATIENCE_MS = 6000;      // for one answer
const OPEN_TABLE = 12;         // with more channels a pool's table begins closed

const byId = (id) => document.getElementById(id);

// ------------------------------------------------------------------ elements

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function drawing(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  return made;
}

// Touches the document only where something changed.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setData(node, key, value) {
  if (node.dataset[key] !== value) node.dataset[key] = value;
}

// Makes the children of PARENT those of KEYS, in that order; each lives as long as its key.
function keyed(parent, shown, keys, make, forget) {
  const wanted = new Set(keys);
  for (const [key, view] of shown)
    if (!wanted.has(key)) {
      view.root.remove();
      shown.delete(key);
      if (forget) forget(key);
    }
  let place = parent.firstElementChild;
  for (const key of keys) {
    let view = shown.get(key);
    if (!view) shown.set(key, (view = make(key)));
    if (view.root === place) place = place.nextElementSibling;
    else parent.insertBefore(view.root, place);
  }
}

// ------------------------------------------------------------------- wording

const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

function count(n) {
  if (n < 10000) return n.toLocaleString("en");
  return Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(n);
}

const rate = (n) => (n > 0 && n < 10 ? n.toFixed(1) : count(Math.round(n)));

const UNITS = [[3600e9, "h"], [60e9, "min"], [1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];

function duration(ns) {
  for (const [size, name] of UNITS)
    if (ns >= size) {
      const n = ns / size;
      return `${n < 10 && size > 1 ? n.toFixed(1) : Math.round(n)} ${name}`;
    }
  return "0 s";
}

function age(ms) {
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const ago = (ms) => (ms < 1000 ? "just now" : `${age(ms)} ago`);
const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");

// A state has a colour, a sign and a word.
const STATES = {
  healthy: ["good", "●"], ready: ["good", "●"],
  degraded: ["warn", "◐"], connecting: ["warn", "◐"],
  down: ["bad", "✕"], transient_failure: ["bad", "✕", "failed"],
  draining: ["leave", "◌"], idle: ["rest", "○"], shutdown: ["rest", "○"], stopped: ["rest", "■"],
};

const tone = (state) => (STATES[state] || ["rest"])[0];
const stateWord = (state) => (STATES[state] || [])[2] || state;

function stateView() {
  const root = element("span", "state"), sign = element("i"), word = element("span");
  sign.setAttribute("aria-hidden", "true");
  root.append(sign, word);
  return {
    root,
    show(state) {
      setData(root, "tone", tone(state));
      setText(sign, (STATES[state] || ["", "?"])[1]);
      setText(word, stateWord(state));
    },
  };
}

// -------------------------------------------------------------------- plots

const WIDTH = 240, HEIGHT = 64;

// A round number that is not below VALUE, nor below LEAST.
function roofOf(value, least) {
  const wanted = Math.max(value, least), size = 10 ** Math.floor(Math.log10(wanted));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * size >= wanted * 0.999) * size;
}

// The parts of a line, each without a gap, as path data.
function pathOf(points, closed) {
  let data = "", from = null, last = null;
  const end = () => { if (closed && from !== null) data += `L${last} ${HEIGHT}L${from} ${HEIGHT}Z`; from = null; };
  for (const [x, y] of points) {
    if (y === null) { end(); continue; }
    data += `${from === null ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    if (from === null) from = x.toFixed(1);
    last = x.toFixed(1);
  }
  end();
  return data;
}

// LINES: for each its name; FORMAT: a value as text; LEAST: the lowest roof.
function plotView(title, lines, format, least) {
  const root = element("figure", "plot"), caption = element("figcaption"), label = element("span", "label", title);
  const readings = element("span", "readings"), values = lines.map(() => element("b"));
  const svg = drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  const fill = drawing("path", { class: "fill" });
  const paths = lines.map(() => drawing("path", { class: "line" }));
  const hair = drawing("line", { class: "hair", y1: 0, y2: HEIGHT, visibility: "hidden" });
  const field = element("div", "field"), top = element("span", "top-value");
  let drawn = { times: [], series: [], from: 0, span: 1 }, pointed = null;

  lines.forEach((name, k) => {
    const reading = element("span", "reading");
    reading.append(element("i"), name, " ", values[k]);
    readings.append(reading);
  });
  caption.append(label, readings);
  svg.append(drawing("line", { class: "roof", x1: 0, x2: WIDTH, y1: 0, y2: 0 }),
    drawing("line", { class: "base", x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }), fill, ...paths, hair);
  field.append(svg, top);
  root.append(caption, field);

  function value(k, i) {
    const number = drawn.series[k] ? drawn.series[k][i] : null;
    return number === null || number === undefined ? "–" : format(number);
  }

  function tell() {
    const last = drawn.times.length - 1, i = pointed === null ? last : pointed;
    const past = pointed === null ? "" : `, ${Math.round((drawn.times[last] - drawn.times[i]) / 1000)} s ago`;
    setText(label, title + past);
    values.forEach((node, k) => setText(node, value(k, i)));
    hair.setAttribute("visibility", pointed === null ? "hidden" : "visible");
    if (pointed !== null) {
      const x = ((drawn.times[i] - drawn.from) / drawn.span) * WIDTH;
      hair.setAttribute("x1", x);
      hair.setAttribute("x2", x);
    }
  }

  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), t = drawn.from + ((event.clientX - box.left) / box.width) * drawn.span;
    pointed = drawn.times.length ? drawn.times.reduce((best, at, i) => (Math.abs(at - t) < Math.abs(drawn.times[best] - t) ? i : best), 0) : null;
    tell();
  });
  svg.addEventListener("pointerleave", () => { pointed = null; tell(); });

  return {
    root,
    show(times, series, span, newTitle) {
      const end = times.length ? times[times.length - 1] : 0;
      const most = Math.max(0, ...series.flat().filter((v) => v !== null));
      const roof = roofOf(most, least);
      drawn = { times, series, from: end - span, span };
      series.forEach((numbers, k) => {
        const points = numbers.map((v, i) => [((times[i] - drawn.from) / span) * WIDTH, v === null ? null : HEIGHT - (v / roof) * HEIGHT]);
        const isFlat = k > 0 && !numbers.some((v) => v > 0);
        paths[k].setAttribute("d", isFlat ? "" : pathOf(points, false));
        if (k === 0) fill.setAttribute("d", pathOf(points, true));
      });
      title = newTitle || title;
      setText(top, format(roof));
      if (pointed !== null && pointed >= times.length) pointed = null;
      tell();
      svg.setAttribute("aria-label", `${title}: ${lines.map((name, k) => `${name} ${value(k, times.length - 1)}`).join(", ")}`);
    },
  };
}

// ------------------------------------------------------------------ channels

const COLUMNS = [["Channel"], ["State"], ["Address"], ["In flight", 1], ["Calls", 1], ["Failures", 1], ["Connected", 1], ["Why"]];

function channelView(id) {
  const root = element("tr"), state = stateView(), dot = element("span");
  const cells = COLUMNS.map(([name, isNumber]) => {
    const cell = element("td", isNumber ? "number" : "");
    if (isNumber) cell.dataset.label = name;
    return cell;
  });
  const [number, stateCell, address, inFlight, calls, failures, since, whyCell] = cells;
  const reason = element("span"), cause = element("div", "cause");

  number.className = "id";
  stateCell.className = "state-cell";
  address.className = "address";
  whyCell.className = "why";
  number.textContent = `#${id}`;
  stateCell.append(state.root);
  whyCell.append(reason, cause);
  root.append(...cells);
  return {
    root,
    dot,
    show(channel) {
      const next = channel.next_attempt_ms === null ? "" : `dials again ${channel.next_attempt_ms > 0 ? `in ${duration(channel.next_attempt_ms * 1e6)}` : "now"}`;
      const why = channel.why || "", isSaid = !channel.last_error || why.includes(channel.last_error);
      const error = channel.state === "ready" || isSaid ? "" : channel.last_error;
      state.show(channel.state);
      setText(address, channel.address || "");
      setText(inFlight, count(channel.in_flight));
      setText(calls, count(channel.calls));
      setText(failures, count(channel.failures));
      setText(since, channel.age_ms === null ? "–" : age(channel.age_ms));
      setText(reason, why);
      setData(whyCell, "tone", tone(channel.state));
      setText(cause, [error, next].filter(Boolean).join("; "));
      setData(dot, "tone", tone(channel.state));
      dot.title = `#${id} ${stateWord(channel.state)}`;
    },
  };
}

function tableHead() {
  const head = element("thead"), row = element("tr");
  for (const [name, isNumber] of COLUMNS) {
    const cell = element("th", isNumber ? "number" : "", name);
    cell.scope = "col";
    row.append(cell);
  }
  head.append(row);
  return head;
}

// What wants to be looked at comes first.
const RANK = { bad: 0, warn: 1, leave: 2, rest: 3, good: 4 };
const byRank = (a, b) => RANK[tone(a.state)] - RANK[tone(b.state)] || a.id - b.id;

function stateCounts(channels) {
  const counts = new Map();
  for (const { state } of channels) counts.set(state, (counts.get(state) || 0) + 1);
  return [...counts].map(([state, n]) => `${n} ${stateWord(state)}`).join(", ");
}

function channelsView() {
  const root = element("details"), summary = element("summary"), scroller = element("div", "channels");
  const table = element("table"), body = element("tbody"), map = element("div", "map"), shown = new Map();
  let isNew = true;

  map.setAttribute("aria-hidden", "true");
  table.append(tableHead(), body);
  scroller.append(table);
  root.append(summary, scroller);
  return {
    root,
    map,
    show(channels) {
      const sorted = [...channels].sort(byRank);
      if (isNew && channels.length > 0) {
        root.open = channels.length <= OPEN_TABLE;
        isNew = false;
      }
      root.hidden = map.hidden = channels.length === 0;
      setText(summary, `${plural(channels.length, "channel")}${channels.length ? ": " + stateCounts(channels) : ""}`);
      keyed(body, shown, sorted.map((c) => c.id), channelView);
      for (const channel of channels) shown.get(channel.id).show(channel);
      const dots = [...channels].sort((a, b) => a.id - b.id).map((c) => shown.get(c.id).dot);
      if (dots.length !== map.childElementCount || dots.some((dot, i) => map.children[i] !== dot)) map.replaceChildren(...dots);
    },
  };
}

// --------------------------------------------------------------------- pools

function figureView(name) {
  const root = element("div", "figure"), value = element("dd"), unit = element("small"), text = document.createTextNode("");
  value.append(text, unit);
  root.append(element("dt", "", name), value);
  return {
    root,
    show(shown, small, isBad) {
      if (text.data !== shown) text.data = shown;
      setText(unit, small || "");
      setData(unit, "tone", isBad ? "bad" : "");
    },
  };
}

// Values per second, from what was added in each sample.
function rates(times, added) {
  return added.map((n, i) => (n === null || i === 0 ? null : (n * 1000) / Math.max(1, times[i] - times[i - 1])));
}

const has = (values) => values.some((value) => value !== null);

function poolView(name) {
  const root = element("section", "card"), head = element("div", "head"), title = element("h2", "", name);
  const state = stateView(), target = element("p", "target"), trouble = element("p", "trouble"), plots = element("div", "plots");
  const traffic = plotView("Calls per second", ["good", "failed"], rate, 1);
  const flight = plotView("In flight", ["held", "waiting"], count, 1);
  const latency = plotView("Call latency", ["p50", "p99"], duration, 1000);
  const channels = channelsView();

  title.id = `pool-${serial++}`;
  root.setAttribute("aria-labelledby", title.id);
  head.append(title, state.root, target);
  plots.append(traffic.root, flight.root, latency.root);
  root.append(head, trouble, plots, channels.map, channels.root);
  return {
    root,
    showStatus(pool) {
      const bad = pool.state === "down" || pool.state === "stopped" || pool.state === "degraded";
      state.show(pool.state);
      setText(target, pool.target || "");
      target.hidden = !pool.target;
      trouble.hidden = !pool.last_error;
      setData(trouble, "is", bad ? "now" : "past");
      setText(trouble, pool.last_error ? pool.last_error + (pool.last_error_age_ms === null ? "" : ` (${ago(pool.last_error_age_ms)})`) : "");
      channels.show(pool.channels);
    },
    showSeries(times, s, span) {
      const called = has(s.calls) && s.calls.some((n) => n > 0);
      const leased = !called && has(s.lease_p50_ns);
      plots.hidden = times.length === 0;
      traffic.show(times, [rates(times, called ? s.calls : s.gets), rates(times, s.failed)], span,
        called ? "Calls per second" : "Taken per second");
      flight.show(times, [s.in_flight, s.waiting], span);
      latency.show(times, leased ? [s.lease_p50_ns, s.lease_p99_ns] : [s.call_p50_ns, s.call_p99_ns], span,
        leased ? "Lease held for" : "Call latency");
    },
  };
}

// ------------------------------------------------------------------ the page

let serial = 0;
const pools = new Map(), errors = new Map(), states = new Map();
let record = { born: null, last: 0, keep: 0, times: [], series: new Map() };
const totals = { pools: figureView("Pools"), ready: figureView("Ready"), flight: figureView("In flight"), rate: figureView("Taken / s"), waiting: figureView("Waiting") };
byId("totals").append(...Object.values(totals).map((view) => view.root));

function takeHistory(data) {
  if (data.born !== record.born || !data.at_ms) {
    record = { born: data.born, last: 0, keep: 0, times: [], series: new Map() };
    if (!data.at_ms) return;
  }
  const had = record.times.length;
  record.last = data.last;
  record.keep = data.keep;
  record.times.push(...data.at_ms);
  for (const [name, added] of Object.entries(data.series)) {
    const mine = record.series.get(name) || {};
    for (const [key, values] of Object.entries(added))
      mine[key] = (mine[key] || new Array(had).fill(null)).concat(values);
    record.series.set(name, mine);
  }
  const oldest = record.times[record.times.length - 1] - record.keep * STEP_MS;
  const excess = Math.max(record.times.findIndex((at) => at > oldest), record.times.length - record.keep, 0);
  record.times = record.times.slice(excess);
  for (const mine of record.series.values()) for (const key in mine) mine[key] = mine[key].slice(-record.times.length);
}

function announce(status) {
  const said = [];
  for (const pool of status.pools) {
    if (states.has(pool.name) && states.get(pool.name) !== pool.state) said.push(`${pool.name} is ${pool.state}`);
    states.set(pool.name, pool.state);
  }
  if (said.length) byId("news").textContent = said.join(", ");
}

const sum = (list, key) => list.reduce((all, one) => all + one[key], 0);

function lastRate() {
  const i = record.times.length - 1;
  if (i < 1) return null;
  let all = 0;
  for (const s of record.series.values()) all += s.gets[i] || 0;
  return (all * 1000) / Math.max(1, record.times[i] - record.times[i - 1]);
}

function showTotals(list) {
  const worst = ["down", "degraded", "stopped"].find((state) => list.some((pool) => pool.state === state));
  const n = worst ? list.filter((pool) => pool.state === worst).length : 0;
  const perSecond = lastRate();
  byId("totals").hidden = list.length === 0;
  byId("empty").hidden = list.length > 0;
  totals.pools.show(String(list.length), worst && list.length > 1 ? `${n} ${worst}` : worst || "healthy", worst);
  totals.ready.show(String(sum(list, "current_size")), `of ${sum(list, "expected_size")}`);
  totals.flight.show(count(sum(list, "in_flight")));
  totals.waiting.show(count(sum(list, "waiters")));
  totals.rate.show(perSecond === null ? "–" : rate(perSecond));
  document.title = worst ? `${n} ${worst} – Cenote` : "Cenote";
}

function showStatus(status) {
  keyed(byId("pools"), pools, status.pools.map((pool) => pool.name), poolView, (name) => states.delete(name));
  for (const pool of status.pools) pools.get(pool.name).showStatus(pool);
  announce(status);
  showTotals(status.pools);
}

function showSeries() {
  for (const [name, view] of pools) {
    const s = record.series.get(name);
    if (s) view.showSeries(record.times, s, record.keep * 1000);
    else view.showSeries([], { calls: [], gets: [], failed: [], in_flight: [], waiting: [], call_p50_ns: [], call_p99_ns: [], lease_p50_ns: [] }, 1);
  }
  setText(byId("span"), record.keep ? `The plots show the last ${record.keep >= 120 ? Math.round(record.keep / 60) + " min" : record.keep + " s"}.` : "");
}

function errorView() {
  const root = element("li"), time = element("time"), pool = element("span", "pool"), text = element("span", "text"), times = element("span", "times");
  root.append(time, pool, text, times);
  return {
    root,
    show(error) {
      time.dateTime = new Date(error.at_ms).toISOString();
      time.title = new Date(error.at_ms).toLocaleString("en-GB");
      setText(time, clock(error.at_ms));
      setText(pool, error.pool || "");
      setText(text, error.text);
      setText(times, error.count > 1 ? `× ${count(error.count)}` : "");
    },
  };
}

function showErrors(list) {
  keyed(byId("errors"), errors, list.map((_, i) => i), errorView);
  list.forEach((error, i) => errors.get(i).show(error));
  byId("no-errors").hidden = list.length > 0;
}

// -------------------------------------------------------------------- asking

let goneSince = null, step = STEP_MS, timer = null, asking = false;

function setLink(is, text) {
  setData(byId("link"), "is", is);
  setText(byId("link-text"), text);
}

function showBanner(text) {
  byId("banner").hidden = text === null;
  if (text !== null) setText(byId("banner"), text);
  byId("main").classList.toggle("stale", text !== null);
}

function show(data) {
  takeHistory(data);
  if (data.status) showStatus(data.status);
  showSeries();
  showErrors(data.errors);
  showBanner(data.status ? null : "The process does not say how its pools are: its control thread is held up, or it ends.");
}

async function ask() {
  const abort = new AbortController(), patience = setTimeout(() => abort.abort(), PATIENCE_MS);
  try {
    const reply = await fetch(`/page.json?since=${record.last}`, { signal: abort.signal, cache: "no-store" });
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    return await reply.json();
  } finally {
    clearTimeout(patience);
  }
}

function answered(data) {
  goneSince = null;
  setLink("live", "live");
  show(data);
}

function unanswered() {
  goneSince = goneSince || Date.now();
  setLink("gone", "not reachable");
  showBanner(`Not reachable since ${clock(goneSince)}. What is shown is from before; this page goes on asking.`);
}

async function round() {
  const begun = performance.now();
  if (asking) return;
  asking = true;
  let data = null;
  try {
    data = await ask();
  } catch (error) {
    data = null;
  }
  asking = false;
  step = data ? STEP_MS : Math.min(step * 1.5, MAX_STEP_MS);
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(round, Math.max(100, step - (performance.now() - begun)));
  if (data) answered(data);
  else unanswered();
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden) round();
});
round();
