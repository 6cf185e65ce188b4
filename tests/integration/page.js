// SPDX-License-Identifier: Apache-2.0
// The page of the sink prometheus in Chromium, by its own protocol over a pipe, without any package:
//   node page.js CHROMIUM WATCHED DEMO-SERVER FOLDER
// FOLDER has watched.conf, gets the screenshots, and is the browser's home.  Prints TAP.
"use strict";
const { spawn } = require("child_process");
const fs = require("fs");
const path = require("path");

const [chromium, watched, demoServer, folder] = process.argv.slice(2);
const PATIENCE_MS = 60000;
let cases = 0, failed = 0;

function check(name, good, note) {
  cases++;
  if (!good) failed++;
  console.log(`${good ? "ok" : "not ok"} ${cases} - ${name}`);
  if (note) console.log(`# ${note}`);
}

// ------------------------------------------------------------------ processes

const children = [];

function start(program, args, options) {
  const child = spawn(program, args, options);
  children.push(child);
  return child;
}

function line(stream, pattern) {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => reject(new Error(`no ${pattern}: ${text}`)), PATIENCE_MS);
    stream.on("data", (data) => {
      text += data;
      const found = text.match(pattern);
      if (found) { clearTimeout(timer); resolve(found); }
    });
  });
}

async function startServer(port) {
  const server = start(demoServer, [String(port)], { stdio: ["pipe", "pipe", "inherit"] });
  await line(server.stdout, /^\d+/);
  return server;
}

// -------------------------------------------------------------------- browser

class Browser {
  constructor() {
    this.next = 1;
    this.waiting = new Map();
    this.faults = [];
    this.requests = [];
    this.process = start(chromium, ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars",
      "--disable-dev-shm-usage", "--no-first-run", `--user-data-dir=${folder}/profile`, "about:blank"],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    let text = "";
    this.process.stdio[4].on("data", (data) => {
      const parts = (text + data).split("\0");
      text = parts.pop();
      parts.forEach((part) => this.take(JSON.parse(part)));
    });
  }

  take(message) {
    const { method, params } = message;
    if (message.id) this.waiting.get(message.id)(message);
    else if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    else if (method === "Runtime.exceptionThrown") this.faults.push(params.exceptionDetails.text);
    else if (method === "Log.entryAdded" && params.entry.level === "error") this.faults.push(`${params.entry.text} ${params.entry.url || ""}`);
    else if (method === "Runtime.consoleAPICalled" && params.type === "error") this.faults.push(JSON.stringify(params.args));
  }

  send(method, params = {}) {
    const id = this.next++;
    this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId: this.session }) + "\0");
    return new Promise((resolve, reject) => this.waiting.set(id, (message) => {
      this.waiting.delete(id);
      if (message.error) reject(new Error(`${method}: ${message.error.message}`));
      else resolve(message.result);
    }));
  }

  async open(url) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    this.session = sessionId;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.send(`${domain}.enable`);
    await this.send("Page.navigate", { url });
  }

  async evaluate(expression) {
    const { result } = await this.send("Runtime.evaluate", { expression, returnByValue: true });
    return result.value;
  }

  // One that is killed leaves processes behind that still write into its folder.
  async close() {
    const gone = new Promise((resolve) => this.process.on("exit", resolve));
    await this.send("Browser.close");
    await gone;
  }

  async until(expression) {
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end) {
      if (await this.evaluate(expression)) return true;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return false;
  }

  async picture(name, width, scheme) {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 });
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    await this.until("document.querySelectorAll('.plot path.line[d]').length > 0");
    const { data } = await this.send("Page.captureScreenshot", { captureBeyondViewport: true });
    fs.writeFileSync(path.join(folder, `${name}-${width}-${scheme}.png`), Buffer.from(data, "base64"));
  }
}

// ---------------------------------------------------------------------- story

const poolIs = (state) => `(document.querySelector(".card .state span") || {}).textContent === "${state}"`;

async function statusIs(url, state) {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const status = await (await fetch(`${url}status.json`)).json();
    if (status.pools[0].state === state) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`the pool is never ${state}`);
}

// The page has to say what the process says, soon after.
async function follows(browser, url, state) {
  await statusIs(url, state);
  const begun = Date.now(), seen = await browser.until(poolIs(state)), took = Date.now() - begun;
  check(`the page says ${state} within 2 s`, seen && took <= 2000, `${took} ms after the process`);
}

async function pictures(browser, name) {
  for (const width of [1280, 360])
    for (const scheme of ["light", "dark"]) {
      await browser.picture(name, width, scheme);
      const wide = await browser.evaluate("document.documentElement.scrollWidth - innerWidth");
      check(`${name}: nothing is wider than ${width} px, ${scheme}`, wide <= 0, wide > 0 ? `${wide} px too wide` : "");
    }
}

async function tellStory() {
  let server = await startServer(Number(process.env.CENOTE_DEMO_PORT));
  const program = start(watched, [path.join(folder, "watched.conf")],
    { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, G_MESSAGES_DEBUG: "Cenote" } });
  const url = await Promise.race([line(program.stdout, /serves (http:\S+)/), line(program.stderr, /serves (http:\S+)/)]).then((m) => m[1]);
  const browser = new Browser();

  await browser.open(url);
  check("the page shows the pool", await browser.until(poolIs("healthy")));
  check("and its channels", await browser.until("document.querySelectorAll('tbody tr').length === 3"));
  check("plots are drawn", await browser.until("[...document.querySelectorAll('.plot path.line')].some((p) => (p.getAttribute('d') || '').includes('L'))"));
  await pictures(browser, "healthy");

  server.kill("SIGKILL");
  await follows(browser, url, "down");
  check("and why", await browser.until("/refused|lost|closed/i.test(document.querySelector('#errors').textContent)"));
  check("and announces it", await browser.until("document.querySelector('#news').textContent.includes('down')"));
  await pictures(browser, "down");
  server = await startServer(Number(process.env.CENOTE_DEMO_PORT));
  await follows(browser, url, "healthy");

  check("no error in the console", browser.faults.length === 0, browser.faults.join("; "));
  check("no request to anywhere else", browser.requests.every((asked) => asked.startsWith(url) || asked.startsWith("data:") || asked === "about:blank"),
    browser.requests.find((asked) => !asked.startsWith(url)) || "");

  program.stdin.end();
  check("a process that is gone is said to be", await browser.until("document.querySelector('#banner').textContent.startsWith('Not reachable since') && !document.querySelector('#banner').hidden"));
  await browser.picture("gone", 1280, "light");
  await browser.close();
}

tellStory().catch((error) => check("the story came to its end", false, error.stack.replace(/\n/g, "\n# "))).finally(() => {
  children.forEach((child) => child.kill("SIGKILL"));
  console.log(`1..${cases}`);
  process.exit(failed ? 1 : 0);
});
