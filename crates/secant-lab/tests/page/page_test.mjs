// Looks at report pages in a headless browser: node page_test.mjs [--screenshots DIR] PAGE.html...
// Speaks the DevTools protocol through a pipe, so that nothing has to be installed but node and a browser.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const pages = [];
let screenshots = null;
const given = process.argv.slice(2);
while (given.length) {
  const word = given.shift();
  if (word === "--screenshots") screenshots = given.shift();
  else pages.push(word);
}

function give(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function findBrowser() {
  const works = (name) => name && spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0;
  return [process.env.CHROMIUM, "chromium", "chromium-browser", "google-chrome"].find(works);
}

if (!pages.length) give("usage: node page_test.mjs [--screenshots DIR] PAGE.html...");
for (const page of pages) if (!existsSync(page)) give(`There is no page ${page}.`);
const program = findBrowser();
if (!program) give("There is no browser: install chromium, or name one in the variable CHROMIUM.");
if (screenshots) mkdirSync(screenshots, { recursive: true });

// The browser, and messages to and from it, which end with a zero byte.
class Browser {
  #next = 1;
  #waiting = new Map();
  #listeners = [];
  #rest = Buffer.alloc(0);

  constructor() {
    this.profile = mkdtempSync(join(tmpdir(), "page-test-"));
    const flags = ["--headless=new", "--remote-debugging-pipe", `--user-data-dir=${this.profile}`, "--no-first-run",
      "--disable-gpu", "--hide-scrollbars", "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"];
    if (process.getuid?.() === 0) flags.push("--no-sandbox");
    this.process = spawn(program, [...flags, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.process.stdio[4].on("data", (data) => this.#read(data));
    this.process.stdio[3].on("error", () => {});
    this.ended = new Promise((resolve) => this.process.on("exit", resolve));
    this.ended.then(() => {
      for (const { fail } of this.#waiting.values()) fail(new Error("the browser ended"));
    });
  }

  #read(data) {
    this.#rest = Buffer.concat([this.#rest, data]);
    for (let end = this.#rest.indexOf(0); end >= 0; end = this.#rest.indexOf(0)) {
      const message = JSON.parse(this.#rest.subarray(0, end).toString());
      this.#rest = this.#rest.subarray(end + 1);
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (!waiting) this.#listeners.forEach((listener) => listener(message));
      else if (message.error) waiting.fail(new Error(`${waiting.method}: ${message.error.message}`));
      else waiting.done(message.result);
    }
  }

  listen(listener) {
    this.#listeners.push(listener);
    return () => this.#listeners.splice(this.#listeners.indexOf(listener), 1);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = this.#next++;
    return new Promise((done, fail) => {
      const late = setTimeout(() => fail(new Error(`${method}: no answer within 30 s`)), 30_000);
      const settle = (act) => (value) => {
        clearTimeout(late);
        act(value);
      };
      this.#waiting.set(id, { method, done: settle(done), fail: settle(fail) });
      this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  async close() {
    await this.send("Browser.close").catch(() => this.process.kill());
    await this.ended;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

// A page that is open in the browser.
class Tab {
  static async open(browser, file) {
    const { targetId } = await browser.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab();
    Object.assign(tab, { browser, targetId, sessionId, file, messages: [], requests: [] });
    let loaded;
    const load = new Promise((resolve) => (loaded = resolve));
    tab.stop = browser.listen(({ method, params, sessionId: from }) => {
      if (from !== sessionId) return;
      if (method === "Runtime.consoleAPICalled") tab.messages.push(`console.${params.type}: ${params.args.map((a) => a.value ?? a.description).join(" ")}`);
      if (method === "Runtime.exceptionThrown") tab.messages.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
      if (method === "Log.entryAdded") tab.messages.push(params.entry.text);
      if (method === "Network.requestWillBeSent") tab.requests.push(params.request.url);
      if (method === "Page.loadEventFired") loaded();
    });
    for (const domain of ["Runtime", "Log", "Network", "Page"]) await tab.send(`${domain}.enable`);
    await tab.size(1400, 900);
    const before = Date.now();
    await tab.send("Page.navigate", { url: pathToFileURL(resolve(file)).href });
    await load;
    await tab.settle();
    tab.loadTime = Date.now() - before;
    return tab;
  }

  send(method, params) {
    return this.browser.send(method, params, this.sessionId);
  }

  async run(expression) {
    const answer = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text);
    return answer.result.value;
  }

  // Until the page has drawn itself.
  settle() {
    return this.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60))))");
  }

  async size(width, height) {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
  }

  async scheme(value) {
    await this.send("Emulation.setEmulatedMedia", { media: "", features: [{ name: "prefers-color-scheme", value }] });
    await this.settle();
  }

  async mouse(type, x, y, more = {}) {
    await this.send("Input.dispatchMouseEvent", { type, x, y, button: "none", ...more });
  }

  async click(x, y, count = 1) {
    await this.mouse("mouseMoved", x, y);
    for (let clickCount = 1; clickCount <= count; clickCount++) {
      await this.mouse("mousePressed", x, y, { button: "left", buttons: 1, clickCount });
      await this.mouse("mouseReleased", x, y, { button: "left", clickCount });
    }
    await this.settle();
  }

  async key(key, more = {}) {
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", key, code: key, ...more });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", key, code: key, ...more });
    await this.settle();
  }

  // The place on screen of the first element that the expression names.
  async rectangle(expression) {
    await this.run(`${expression}.scrollIntoView({ block: "center", behavior: "instant" })`);
    await this.settle();
    return this.run(`(({ left, top, width, height }) => ({ left, top, width, height }))(${expression}.getBoundingClientRect())`);
  }

  async clickOn(expression, count) {
    const { left, top, width, height } = await this.rectangle(expression);
    await this.click(left + width / 2, top + height / 2, count);
  }

  // A number that changes with what the first chart shows.
  picture() {
    return this.run(`(() => {
      const address = document.querySelector("figure.chart canvas").toDataURL();
      let hash = 0;
      for (let i = 0; i < address.length; i++) hash = (hash * 31 + address.charCodeAt(i)) | 0;
      return hash;
    })()`);
  }

  // Charts draw themselves when they are seen.
  async showAll() {
    await this.run(`(async () => {
      for (const figure of document.querySelectorAll("figure")) {
        figure.scrollIntoView();
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 10)));
      }
      scrollTo(0, 0);
    })()`);
    await this.settle();
  }

  async screenshot(name) {
    if (!screenshots) return;
    await this.showAll();
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    writeFileSync(join(screenshots, `${basename(this.file, ".html")}-${name}.png`), Buffer.from(data, "base64"));
  }

  // What is on screen now.
  async snapshot(name) {
    if (!screenshots) return;
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    writeFileSync(join(screenshots, `${basename(this.file, ".html")}-${name}.png`), Buffer.from(data, "base64"));
  }

  // The text of the page without running anything in it.
  async bodyText() {
    const { documents, strings } = await this.send("DOMSnapshot.captureSnapshot", { computedStyles: [] });
    return documents[0].layout.text.filter((index) => index >= 0).map((index) => strings[index]).join(" ");
  }

  settleWithoutScripts() {
    return new Promise((done) => setTimeout(done, 400));
  }

  async close() {
    this.stop();
    await this.browser.send("Target.closeTarget", { targetId: this.targetId });
  }
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}

const FIRST = `document.querySelector("figure.chart")`;
const readOut = `(({ hidden, textContent }) => (hidden ? "" : textContent))(${FIRST}.querySelector(".read-out"))`;
const tickRange = `${FIRST}.querySelector(".reset").hidden`;

const checks = {
  async "draws its charts within two seconds"(tab) {
    await tab.rectangle(FIRST);
    expect(await tab.run(`document.querySelectorAll("figure.chart.drawn canvas").length > 0`), "no chart was drawn");
    expect(tab.loadTime < 2000, `${tab.loadTime} ms`);
  },
  async "every chart is a figure with a caption and a label"(tab) {
    const bad = await tab.run(`[...document.querySelectorAll("figure.chart")].filter((figure) =>
      !figure.querySelector("figcaption")?.textContent || !figure.querySelector("[role=img][tabindex='0']")?.getAttribute("aria-label")).length`);
    expect(bad === 0, `${bad} are not`);
    const twice = await tab.run(`[...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i)`);
    expect(!twice.length, `ids stand twice: ${twice}`);
  },
  async "legend switches a method off and on in state, drawing and table"(tab) {
    const entry = `document.querySelector(".legend .entry")`;
    const { left, top, width, height } = await tab.rectangle(entry);
    // The pointer rests on the entry, which therefore stands out; it is moved away for each picture.
    const away = async () => {
      await tab.mouse("mouseMoved", 2, 2);
      await tab.settle();
      return tab.picture();
    };
    const before = await away();
    await tab.click(left + width / 2, top + height / 2);
    expect((await tab.run(`${entry}.getAttribute("aria-pressed")`)) === "false", "the button is still pressed");
    const slot = await tab.run(`${entry}.dataset.method`);
    const rows = await tab.run(`[...document.querySelectorAll("tr[data-method='${slot}']")].map((row) => row.classList.contains("off"))`);
    expect(rows.every(Boolean), "its table row is not dimmed");
    const same = await tab.run(`[...document.querySelectorAll(".entry[data-method='${slot}']")].every((e) => e.getAttribute("aria-pressed") === "false")`);
    expect(same, "another legend disagrees");
    expect((await away()) !== before, "the drawing is the same");
    await tab.click(left + width / 2, top + height / 2);
    expect((await away()) === before, "the drawing does not come back");
  },
  async "pointing at a legend entry makes its line stand out"(tab) {
    const { left, top } = await tab.rectangle(`document.querySelector(".legend .entry")`);
    await tab.mouse("mouseMoved", 2, 2);
    await tab.settle();
    const before = await tab.picture();
    await tab.mouse("mouseMoved", left + 8, top + 8);
    await tab.settle();
    expect((await tab.picture()) !== before, "the drawing is the same");
    await tab.mouse("mouseMoved", 2, 2);
    await tab.settle();
    expect((await tab.picture()) === before, "the drawing does not come back");
  },
  async "only this one, none and all"(tab) {
    const pressed = `[...document.querySelectorAll(".legend")[0].querySelectorAll(".entry")].filter((e) => e.getAttribute("aria-pressed") === "true").length`;
    const all = await tab.run(pressed);
    await tab.clickOn(`document.querySelectorAll(".legend .entry")[1]`, 2);
    expect((await tab.run(pressed)) === 1, `a double click leaves ${await tab.run(pressed)}`);
    await tab.clickOn(`document.querySelectorAll(".legend .set")[1]`);
    expect((await tab.run(pressed)) === 0, "none leaves some");
    await tab.clickOn(`document.querySelectorAll(".legend .set")[0]`);
    expect((await tab.run(pressed)) === all, "all leaves some out");
  },
  async "switching methods draws all charts anew within half a second"(tab) {
    await tab.showAll();
    const time = await tab.run(`(async () => {
      const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      await frame();
      const before = performance.now();
      document.querySelector(".legend .entry").click();
      document.querySelector(".legend .entry").click();
      await frame();
      return performance.now() - before;
    })()`);
    if (process.env.PAGE_TEST_TIMES) process.stdout.write(`${tab.file}: loaded in ${tab.loadTime} ms, all charts drawn twice in ${Math.round(time)} ms\n`);
    expect(time < 1000, `twice in ${time} ms`);
  },
  async "hovering a chart reads the values, the largest first"(tab) {
    const { left, top, width, height } = await tab.rectangle(`${FIRST}.querySelector(".u-over")`);
    await tab.mouse("mouseMoved", left + width * 0.3, top + height / 2);
    await tab.settle();
    expect((await tab.run(readOut)) !== "", "there is no read-out");
    await tab.snapshot("read-out");
    const values = await tab.run(`[...${FIRST}.querySelectorAll(".read-out li:not(.ended) .value")].map((e) => parseFloat(e.textContent)).filter((v) => !isNaN(v))`);
    expect(values.length > 0 && values.every((v, i) => i === 0 || v <= values[i - 1]), `values ${values}`);
    await tab.mouse("mouseMoved", 2, 2);
    await tab.settle();
    expect((await tab.run(readOut)) === "", "the read-out stays");
  },
  async "touching a chart reads the values"(tab) {
    const { left, top, width, height } = await tab.rectangle(`${FIRST}.querySelector(".u-over")`);
    const touchPoints = [{ x: left + width * 0.4, y: top + height / 2 }];
    await tab.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
    await tab.settle();
    const text = await tab.run(readOut);
    await tab.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    expect(text !== "", "there is no read-out");
    await tab.mouse("mouseMoved", 2, 2);
  },
  async "the keyboard moves the cursor"(tab) {
    await tab.rectangle(FIRST);
    await tab.run(`${FIRST}.querySelector(".plot").focus()`);
    const seen = [];
    for (const key of ["Home", "ArrowRight", "End", "ArrowLeft"]) {
      await tab.key(key);
      seen.push(await tab.run(`${FIRST}.querySelector(".read-out .place")?.textContent + ${FIRST}.querySelector(".spoken").textContent`));
      expect((await tab.run(readOut)) !== "", `${key}: no read-out`);
      if (key === "ArrowRight") await tab.snapshot("keyboard");
    }
    expect(new Set(seen).size === seen.length, `the cursor stays: ${seen.join(" | ")}`);
    await tab.key("Escape");
    expect((await tab.run(readOut)) === "", "Escape leaves the read-out");
  },
  async "the keyboard zooms, takes the zoomed chart along, and resets"(tab) {
    await tab.rectangle(FIRST);
    await tab.mouse("mouseMoved", 2, 2);
    await tab.settle();
    const before = await tab.picture();
    await tab.run(`${FIRST}.querySelector(".plot").focus()`);
    await tab.key("Home");
    for (const press of ["+", "+"]) await tab.key(press);
    expect((await tab.run(tickRange)) === false, "+ does not zoom");
    const zoomed = await tab.picture();
    await tab.key("End");
    expect((await tab.picture()) !== zoomed, "the chart does not follow the cursor");
    const cursor = await tab.run(`(({ left, right }, line) => line.left >= left - 1 && line.left <= right + 1)(
      ${FIRST}.querySelector(".u-over").getBoundingClientRect(), ${FIRST}.querySelector(".u-cursor-x").getBoundingClientRect())`);
    expect(cursor, "the cursor left the chart");
    // The button that resets goes when it is used; the focus stays in the chart.
    await tab.run(`${FIRST}.querySelector(".reset").focus()`);
    await tab.run(`${FIRST}.querySelector(".reset").click()`);
    expect(await tab.run(`document.activeElement === ${FIRST}.querySelector(".plot")`), "the focus is lost");
    await tab.key("Escape");
    expect((await tab.picture()) === before, "it does not reset");
  },
  async "the legend works by keyboard, and what has the focus shows it"(tab) {
    const entry = `document.querySelector(".legend .entry")`;
    await tab.run(`${entry}.focus()`);
    const press = (key, text) => tab.key(key, { text, windowsVirtualKeyCode: key === " " ? 32 : 13 });
    await press(" ", " ");
    expect((await tab.run(`${entry}.getAttribute("aria-pressed")`)) === "false", "Space does not switch off");
    await press("Enter", "\r");
    expect((await tab.run(`${entry}.getAttribute("aria-pressed")`)) === "true", "Enter does not switch on");
    for (const focused of [entry, `${FIRST}.querySelector(".plot")`, `document.querySelector(".sort")`]) {
      if (!(await tab.run(`${focused} !== null`))) continue;
      // Focus by a key: that by a script alone need not be shown.
      await tab.run(`${focused}.focus({ focusVisible: true })`);
      const outline = await tab.run(`getComputedStyle(document.activeElement).outlineStyle`);
      expect(outline !== "none", `${focused} shows no focus`);
    }
    await tab.run(`document.activeElement.blur()`);
  },
  async "a chart can be enlarged, and back"(tab) {
    const width = `${FIRST}.querySelector("canvas").getBoundingClientRect().width`;
    const height = `${FIRST}.querySelector("canvas").getBoundingClientRect().height`;
    const before = [await tab.run(width), await tab.run(height)];
    await tab.clickOn(`${FIRST}.querySelector(".enlarge")`);
    await tab.mouse("mouseMoved", 2, 2);
    await tab.settle();
    expect((await tab.run(width)) > before[0] && (await tab.run(height)) > before[1], `${before} does not grow`);
    await tab.snapshot("large");
    await tab.clickOn(`${FIRST}.querySelector(".enlarge")`);
    expect((await tab.run(width)) === before[0], "it does not shrink");
  },
  async "what is beyond the edge is said, and can be shown"(tab) {
    const places = await tab.run(`[...document.querySelectorAll("figure.chart")].map((f, i) => (f.querySelector(".show-all").hidden ? -1 : i)).filter((i) => i >= 0)`);
    for (const place of places) {
      const figure = `document.querySelectorAll("figure.chart")[${place}]`;
      const said = `${figure}.querySelector(".cut-note").textContent`;
      const before = await tab.run(said);
      expect(before.startsWith("Beyond the edge: "), `${await tab.run(`${figure}.id`)}: ${before}`);
      await tab.clickOn(`${figure}.querySelector(".show-all")`);
      expect((await tab.run(said)) === "", "it is still said");
      await tab.clickOn(`${figure}.querySelector(".show-all")`);
      expect((await tab.run(said)) === before, "it is no longer said");
    }
  },
  async "every chart has a legend, and no table is wider than a wide screen"(tab) {
    const without = await tab.run(`[...document.querySelectorAll("section.charts.filled")].filter((s) => !s.querySelector(".legend .entry")).length`);
    expect(without === 0, `${without} sections have none`);
    const wide = await tab.run(`[...document.querySelectorAll("table.summary")].map((t) => t.parentElement.scrollWidth - t.parentElement.clientWidth)`);
    expect(wide.every((by) => by <= 0), `tables are ${wide} px too wide`);
  },
  async "the numbers of a chart are a table, of the methods that are switched on"(tab) {
    await tab.run(`${FIRST}.querySelector(".numbers").open = true`);
    await tab.settle();
    const rows = `${FIRST}.querySelectorAll(".numbers tbody tr").length`;
    const cells = `[...${FIRST}.querySelectorAll(".numbers td")].map((cell) => cell.textContent)`;
    const count = await tab.run(rows);
    expect(count > 0 && (await tab.run(cells)).some((text) => /\d/.test(text)), "there are no numbers");
    await tab.run(`document.querySelector(".legend .entry").click()`);
    expect((await tab.run(rows)) === count - 1, "a method that is off has a row");
    await tab.run(`document.querySelector(".legend .entry").click()`);
    await tab.run(`${FIRST}.querySelector(".numbers").open = false`);
  },
  async "dragging zooms, the button and a double click reset"(tab) {
    await tab.mouse("mouseMoved", 2, 2);
    await tab.settle();
    const before = await tab.picture();
    for (const way of ["button", "double click"]) {
      const { left, top, width, height } = await tab.rectangle(`${FIRST}.querySelector(".u-over")`);
      await tab.mouse("mouseMoved", left + width * 0.2, top + height * 0.3);
      await tab.mouse("mousePressed", left + width * 0.2, top + height * 0.3, { button: "left", buttons: 1, clickCount: 1 });
      await tab.mouse("mouseMoved", left + width * 0.4, top + height * 0.5, { button: "left", buttons: 1 });
      await tab.mouse("mouseMoved", left + width * 0.6, top + height * 0.7, { button: "left", buttons: 1 });
      await tab.mouse("mouseReleased", left + width * 0.6, top + height * 0.7, { button: "left", clickCount: 1 });
      await tab.settle();
      expect((await tab.run(tickRange)) === false, "there is no button to reset");
      expect((await tab.picture()) !== before, "the drawing is the same");
      await tab.snapshot("zoom");
      if (way === "button") await tab.clickOn(`${FIRST}.querySelector(".reset")`);
      else await tab.click(left + width / 2, top + height / 2, 2);
      await tab.mouse("mouseMoved", 2, 2);
      await tab.settle();
      expect((await tab.run(tickRange)) === true && (await tab.picture()) === before, `the ${way} does not reset`);
    }
  },
  async "the horizontal axis can be chosen"(tab) {
    if (!(await tab.run(`document.querySelector(".tabs button") !== null`))) return;
    const before = await tab.run(`document.querySelector(".tabs").closest("section").querySelector(".x-name").textContent`);
    await tab.clickOn(`document.querySelectorAll(".tabs button")[1]`);
    const after = await tab.run(`document.querySelector(".tabs").closest("section").querySelector(".x-name").textContent`);
    expect(before !== after && after !== "", `${before} stays`);
    await tab.clickOn(`[...document.querySelectorAll(".tabs")][0].lastElementChild`);
    await tab.snapshot("last-axis");
    await tab.clickOn(`document.querySelectorAll(".tabs button")[0]`);
  },
  async "the table sorts by a heading, both ways, with the baseline last"(tab) {
    const head = `document.querySelectorAll("table.summary thead th")[1].querySelector("button")`;
    if (!(await tab.run(`document.querySelector("table.summary thead th") !== null`))) return;
    const values = `[...document.querySelector("table.summary tbody").rows].filter((r) => !r.classList.contains("baseline")).map((r) => parseFloat(r.cells[1].textContent.replaceAll(",", "")))`;
    for (const sign of [1, -1]) {
      await tab.clickOn(head);
      const found = (await tab.run(values)).filter((v) => v !== null && !isNaN(v));
      expect(found.every((v, i) => i === 0 || sign * (v - found[i - 1]) >= 0), `not sorted: ${found}`);
    }
    const last = await tab.run(`[...document.querySelector("table.summary tbody").rows].findIndex((r) => r.classList.contains("baseline"))`);
    const count = await tab.run(`document.querySelector("table.summary tbody").rows.length`);
    expect(last === -1 || last === count - 1, "the baseline is not last");
  },
  async "a dark scheme changes the colours of page and charts"(tab) {
    await tab.rectangle(FIRST);
    await tab.mouse("mouseMoved", 2, 2);
    await tab.scheme("light");
    const colour = `getComputedStyle(document.body).backgroundColor`;
    const [light, lightPicture] = [await tab.run(colour), await tab.picture()];
    await tab.scheme("dark");
    const [dark, darkPicture] = [await tab.run(colour), await tab.picture()];
    expect(light !== dark, "the page keeps its colour");
    expect(lightPicture !== darkPicture, "the chart keeps its colours");
    await tab.screenshot("dark-1400");
    await tab.scheme("light");
    await tab.screenshot("light-1400");
  },
  async "no width makes the page scroll sideways"(tab) {
    for (const width of [1400, 800, 400]) {
      await tab.size(width, 800);
      await tab.settle();
      await tab.rectangle(FIRST);
      const overflow = await tab.run(`document.documentElement.scrollWidth - document.documentElement.clientWidth`);
      expect(overflow <= 0, `${overflow} px too wide at ${width}`);
      const canvas = await tab.run(`[...document.querySelectorAll("figure.drawn")].filter((f) => f.querySelector(".u-wrap").getBoundingClientRect().right > f.getBoundingClientRect().right + 1).length`);
      expect(canvas === 0, `${canvas} charts do not fit their figures at ${width}`);
    }
    const { left, top, width, height } = await tab.rectangle(`${FIRST}.querySelector(".u-over")`);
    await tab.mouse("mouseMoved", left + width * 0.5, top + height / 2);
    await tab.settle();
    const overflow = await tab.run(`document.documentElement.scrollWidth - document.documentElement.clientWidth`);
    expect(overflow <= 0, `the read-out is ${overflow} px too wide`);
    await tab.snapshot("read-out-400");
    await tab.mouse("mouseMoved", 2, 2);
    await tab.screenshot("light-400");
    if (screenshots) {
      await tab.scheme("dark");
      await tab.screenshot("dark-400");
      await tab.scheme("light");
    }
    await tab.size(1400, 900);
    await tab.settle();
  },
  async "paper shows every chart"(tab) {
    const { data } = await tab.send("Page.printToPDF", { printBackground: true });
    if (screenshots) writeFileSync(join(screenshots, `${basename(tab.file, ".html")}.pdf`), Buffer.from(data, "base64"));
    const left = await tab.run(`document.querySelectorAll("figure.chart:not(.drawn)").length`);
    expect(left === 0, `${left} were not drawn`);
  },
  async "leaves no names behind"(tab) {
    const names = await tab.run(`(() => {
      const frame = document.body.appendChild(document.createElement("iframe"));
      const known = new Set(Object.getOwnPropertyNames(frame.contentWindow));
      frame.remove();
      return Object.getOwnPropertyNames(window).filter((name) => !known.has(name) && !/^\\d+$/.test(name));
    })()`);
    expect(!names.length, names.join(", "));
    const inline = await tab.run(`[...document.querySelectorAll("*")].filter((e) => [...e.attributes].some((a) => a.name.startsWith("on"))).length`);
    expect(inline === 0, `${inline} elements with handlers in their markup`);
  },
  async "the text is there without scripts"(tab) {
    await tab.send("Emulation.setScriptExecutionDisabled", { value: true });
    await tab.send("Page.reload");
    await tab.settleWithoutScripts();
    const text = await tab.bodyText();
    await tab.send("Emulation.setScriptExecutionDisabled", { value: false });
    expect(text.includes("JavaScript"), "there is no note");
    const source = readFileSync(tab.file, "utf8");
    const title = source.match(/<h1>(.*?)<\/h1>/)[1];
    expect(text.includes(title), "the headline is gone");
    const baseline = source.match(/<tr class="baseline"><th scope="row">([^<&]*)</);
    if (baseline) expect(text.includes(baseline[1]), "the table is gone");
  },
  async "asks for nothing but the file and says nothing to the console"(tab) {
    const own = pathToFileURL(resolve(tab.file)).href;
    const others = tab.requests.filter((url) => url !== own && !url.startsWith("data:"));
    expect(!others.length, `requests ${others.join(", ")}`);
    expect(!tab.messages.length, tab.messages.join("; "));
  },
};

let [passed, failed] = [0, 0];
const browser = new Browser();
try {
  for (const page of pages) {
    const tab = await Tab.open(browser, page);
    for (const [name, check] of Object.entries(checks)) {
      try {
        await check(tab);
        passed++;
      } catch (reason) {
        failed++;
        process.stdout.write(`${page}: ${name}: ${reason.message}\n`);
      }
    }
    await tab.close();
  }
} catch (reason) {
  failed++;
  process.stdout.write(`${reason.stack}\n`);
} finally {
  await browser.close();
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed ? 1 : 0;
