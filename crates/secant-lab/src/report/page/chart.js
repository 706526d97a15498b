// One chart: uPlot has the axes, the cursor and the zoom; the lines are drawn here, since those of one chart
// do not share their places.

const charts = (() => {
  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function button(text, className, act) {
    const made = element("button", className, text);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  }

  // The lines as they lie on paper.
  function laidOut(section, spec) {
    const values = spec.series.flatMap((s) => [...s.y, ...(s.low || []), ...(s.high || [])]).filter(Number.isFinite);
    const places = spec.series.flatMap((s) => [...s.x.flat(), ...(s.failures || [])]);
    const ySpread = axes.spreadOf(spec.y, spec.level === undefined ? values : [...values, spec.level]);
    const xSpread = axes.spreadOf(section.x_log ? "log" : "linear", places);
    const onPaper = (list) => (list || []).map((v) => (Number.isFinite(v) ? ySpread.forth(v) : null));
    const lines = spec.series.map((s) => ({
      method: s.method,
      x: s.x.map((axis) => axis.map(xSpread.forth)),
      y: onPaper(s.y),
      low: onPaper(s.low),
      high: onPaper(s.high),
      marked: s.marked || [],
      failures: (s.failures || []).map(xSpread.forth),
    }));
    return { lines, xSpread, ySpread, level: spec.level === undefined ? NaN : ySpread.forth(spec.level) };
  }

  // The first place that is not before x.
  function firstFrom(places, x) {
    let [low, high] = [0, places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[middle] < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // A line's value as it is drawn at x: on steps the last one, else on the straight line between two points.
  function valueAt(line, places, x, steps) {
    const after = firstFrom(places, x);
    if (places[after] === x || (after > 0 && steps)) {
      const at = places[after] === x ? after : after - 1;
      return { y: line.y[at], low: line.low[at], high: line.high[at] };
    }
    if (after === 0 || after === places.length) return null;
    const share = (x - places[after - 1]) / (places[after] - places[after - 1]);
    const between = (list) => {
      const [a, b] = [list[after - 1], list[after]];
      return Number.isFinite(a) && Number.isFinite(b) ? a + share * (b - a) : null;
    };
    return { y: between(line.y), low: between(line.low), high: between(line.high) };
  }

  // `page` knows the methods: nameOf(slot), isOn(slot), outstanding() (a slot or null).
  function make(section, spec, page) {
    const { lines, xSpread, ySpread, level } = laidOut(section, spec);
    // Trials of a rate are points of their own: nothing is read between them.
    const scattered = section.x_log && !section.steps;
    const axisNames = section.axes || [""];
    let axis = 0;
    let all = false;
    let zoom = null;
    let plot = null;
    let place = null;

    const figure = element("figure", "chart");
    figure.id = `chart-${section.id}-${spec.id}`;
    const caption = element("figcaption");
    const scales = { log: "logarithmic", error: "widens towards 100\u00a0%" };
    caption.append(element("span", "chart-title", spec.title));
    const tools = element("span", "tools");
    const resetButton = button("Reset zoom", "reset", () => reset());
    const allButton = button("Show all", "show-all", () => {
      all = !all;
      reset();
    });
    resetButton.hidden = allButton.hidden = true;
    tools.append(allButton, resetButton);
    caption.append(tools, element("small", "", scales[spec.y] || "\u00a0"));
    const box = element("div", "plot");
    box.tabIndex = 0;
    box.setAttribute("role", "img");
    const xName = element("p", "x-name");
    const cutNote = element("p", "cut-note");
    const readOut = element("div", "read-out");
    readOut.hidden = true;
    const spoken = element("p", "spoken");
    spoken.setAttribute("aria-live", "polite");
    figure.append(caption, box, xName, cutNote, readOut, spoken);

    const xOf = (line) => line.x[Math.min(axis, line.x.length - 1)] || [];
    const shown = () => {
      const on = lines.filter((line) => page.isOn(line.method));
      return on.length ? on : lines;
    };
    const drawn = () => lines.filter((line) => page.isOn(line.method));

    function ranges() {
      const visible = shown();
      const places = (line) => [...xOf(line), ...line.failures].sort((a, b) => a - b);
      const x = axes.xRange(visible.map(places), section.x_log, all);
      // Only what lies within the horizontal axis counts for the vertical one.
      const inside = (line) => [line.y, line.low, line.high].flatMap((values) => values.filter((_, i) => xOf(line)[i] <= x.max));
      const y = axes.yRange(visible.map(inside), spec.y, level, all);
      // Even shares are seen against all there is.
      if (spec.unit === "%" && spec.y === "linear") [y.min, y.max] = [Math.min(y.min, -0.03), Math.max(y.max, 1.04)];
      return { x, y, cut: x.cut || y.cut };
    }

    // Sets both axes, to the zoom if there is one.
    function fit() {
      const { x, y, cut } = ranges();
      const [xEnds, yEnds] = zoom ? [zoom.x, zoom.y] : [x, y];
      allButton.hidden = !cut;
      allButton.textContent = all ? "Show most" : "Show all";
      allButton.title = all ? "Cut off what lies far from most lines" : "Show what is cut off, too";
      resetButton.hidden = !zoom;
      const axisName = axisNames[axis] || "";
      xName.textContent = axisName + (section.x_log ? " (logarithmic)" : "");
      describe(axisName);
      noteCut(cut && !all && !zoom, x, y);
      if (!plot) return;
      plot.batch(() => {
        plot.setScale("x", { min: xEnds.min, max: xEnds.max });
        plot.setScale("y", { min: yEnds.min, max: yEnds.max });
      });
      plot.redraw(false, true);
    }

    function describe(axisName) {
      const count = drawn().length;
      const lastOf = (line) => line.y.findLast(Number.isFinite);
      const best = drawn().filter((line) => lastOf(line) !== undefined);
      best.sort((a, b) => lastOf(b) - lastOf(a));
      const ends = best.length ? `; the highest at its end is ${page.nameOf(best[0].method)}, the lowest ${page.nameOf(best[best.length - 1].method)}` : "";
      const over = axisName ? ` over ${axisName}` : "";
      box.setAttribute("aria-label", `${spec.title}${over}, ${count} of ${lines.length} methods${ends}. Arrow keys read the values.`);
    }

    // Says which lines leave the chart.
    function noteCut(cut, x, y) {
      const empty = !drawn().some((line) => line.y.some(Number.isFinite));
      cutNote.hidden = !cut && !empty;
      if (empty) cutNote.textContent = drawn().length ? "There is no finite value." : "All its methods are switched off.";
      if (!cut || empty) return;
      const beyond = { right: [], top: [], bottom: [] };
      for (const line of drawn()) {
        const places = xOf(line);
        const name = page.nameOf(line.method);
        if (places[places.length - 1] > x.max) beyond.right.push(name);
        if (line.y.some((v, i) => v > y.max && places[i] <= x.max)) beyond.top.push(name);
        if (line.y.some((v, i) => v !== null && v < y.min && places[i] <= x.max)) beyond.bottom.push(name);
      }
      const list = (names) => (names.length > 4 ? `${names.length} methods` : names.join(", "));
      const parts = Object.entries(beyond).filter(([, names]) => names.length);
      const texts = parts.map(([side, names]) => `${list(names)} (${side === "right" ? "to the right" : `at the ${side}`})`);
      cutNote.textContent = `Cut off: ${texts.join("; ")}.`;
      cutNote.hidden = !texts.length;
    }

    function reset() {
      zoom = null;
      fit();
    }

    function hasBand(line) {
      return line.high.some((high, i) => high !== null && line.low[i] !== null && high !== line.low[i]);
    }

    // Draws the lines onto uPlot's canvas.
    function draw(u) {
      const canvas = u.ctx;
      const ratio = uPlot.pxRatio;
      const { left, top, width, height } = u.bbox;
      const px = (x) => u.valToPos(x, "x", true);
      // Far outside is near enough: canvases do not like large numbers.
      const py = (y) => Math.max(top - height, Math.min(top + 2 * height, u.valToPos(y, "y", true)));
      const paper = looks.style("--card");
      const outstanding = page.outstanding();
      const visible = drawn();
      const stands = (line) => line.method === outstanding;
      const crosses = new Map();
      const fades = outstanding !== null && visible.some(stands);
      // The outstanding one last, on top of the others.
      const ordered = fades ? [...visible.filter((l) => !stands(l)), ...visible.filter(stands)] : visible;
      canvas.save();
      canvas.beginPath();
      canvas.rect(left, top, width, height);
      canvas.clip();
      canvas.lineJoin = "round";

      for (const line of ordered) {
        if (!hasBand(line)) continue;
        canvas.globalAlpha = fades ? (stands(line) ? 0.25 : 0.02) : Math.max(0.02, Math.min(0.15, 0.6 / visible.length));
        canvas.fillStyle = looks.look(line.method).colour;
        eachPiece(line, (from, to) => {
          canvas.beginPath();
          trace(line, line.high, from, to);
          for (let i = to - 1; i >= from; i--) canvas.lineTo(px(xOf(line)[i]), py(line.low[i] ?? line.y[i]));
          canvas.closePath();
          canvas.fill();
        });
      }

      for (const line of ordered) {
        const { colour, dash, mark } = looks.look(line.method);
        canvas.globalAlpha = fades && !stands(line) ? 0.15 : 1;
        canvas.strokeStyle = colour;
        canvas.lineWidth = (fades && stands(line) ? 3 : 1.75) * ratio;
        canvas.setLineDash(dash.map((length) => length * ratio));
        eachPiece(line, (from, to) => {
          canvas.beginPath();
          trace(line, line.y, from, to);
          canvas.stroke();
          // A point between two gaps has no line.
          if (to - from === 1) looks.drawMark(canvas, mark, px(xOf(line)[from]), py(line.y[from]), 3 * ratio, colour, paper);
          canvas.setLineDash(dash.map((length) => length * ratio));
        });
        canvas.lineWidth = 1.5 * ratio;
        drawMarks(line, colour, mark);
      }
      if (Number.isFinite(level)) drawLevel();
      canvas.restore();

      function drawLevel() {
        canvas.globalAlpha = 1;
        canvas.strokeStyle = canvas.fillStyle = looks.style("--soft");
        canvas.lineWidth = ratio;
        canvas.setLineDash([6 * ratio, 4 * ratio]);
        canvas.beginPath();
        canvas.moveTo(left, py(level));
        canvas.lineTo(left + width, py(level));
        canvas.stroke();
        canvas.font = `${11 * ratio}px system-ui, sans-serif`;
        canvas.textAlign = "left";
        const under = py(level) < top + 18 * ratio;
        canvas.textBaseline = under ? "top" : "bottom";
        const label = [`target ${axes.valueText(spec.level, spec.unit)}`, left + 6 * ratio, py(level) + (under ? 3 : -3) * ratio];
        canvas.setLineDash([]);
        canvas.strokeStyle = paper;
        canvas.lineWidth = 3 * ratio;
        canvas.strokeText(...label);
        canvas.fillText(...label);
      }

      function trace(line, values, from, to) {
        const places = xOf(line);
        for (let i = from; i < to; i++) {
          const y = py(values[i] ?? line.y[i]);
          if (i === from) canvas.moveTo(px(places[i]), y);
          else {
            if (section.steps) canvas.lineTo(px(places[i]), py(values[i - 1] ?? line.y[i - 1]));
            canvas.lineTo(px(places[i]), y);
          }
        }
      }

      // Marks stand so far apart that the line is seen between them, and not all at the same places.
      function drawMarks(line, colour, mark) {
        const places = xOf(line);
        const apart = 90 * ratio;
        let next = scattered ? -Infinity : left + ((line.method * 37) % 90) * ratio;
        let last = -1;
        places.forEach((x, i) => {
          if (line.y[i] === null) return;
          last = i;
          const at = px(x);
          if (scattered || at >= next) {
            looks.drawMark(canvas, mark, at, py(line.y[i]), 3 * ratio, colour, paper);
            if (!scattered) next = at + apart;
          }
        });
        // Where a line ends is seen.
        if (last >= 0) looks.drawMark(canvas, mark, px(places[last]), py(line.y[last]), 3 * ratio, colour, paper);
        for (const i of line.marked) {
          if (line.y[i] !== null && i < places.length) looks.drawMark(canvas, mark, px(places[i]), py(line.y[i]), 6 * ratio, colour, paper);
        }
        // At the bad end of the axis, those at one place one behind the other.
        line.failures.forEach((x) => {
          const column = Math.round(px(x) / (6 * ratio));
          const before = crosses.get(column) || 0;
          crosses.set(column, before + 1);
          const off = (8 + 9 * before) * ratio;
          looks.drawMark(canvas, "cross", px(x), spec.y === "log" ? top + off : top + height - off, 3.5 * ratio, colour, paper);
        });
      }
    }

    // The pieces of a line between its gaps.
    function eachPiece(line, act) {
      let from = 0;
      for (let i = 0; i <= line.y.length; i++) {
        if (i < line.y.length && line.y[i] !== null) continue;
        if (i > from) act(from, i);
        from = i + 1;
      }
    }

    // What each method has at a place, the largest value first, then the lines that ended before.
    function readings(x) {
      const found = [];
      const width = plot.scales.x.max - plot.scales.x.min;
      for (const line of drawn()) {
        const places = xOf(line);
        const { method } = line;
        if (scattered) {
          const candidates = places.map((at, i) => ({ at, y: line.y[i] })).concat(line.failures.map((at) => ({ at, y: null })));
          candidates.sort((a, b) => Math.abs(a.at - x) - Math.abs(b.at - x));
          const nearest = candidates[0];
          if (!nearest || Math.abs(nearest.at - x) > 0.08 * width) continue;
          found.push({ method, y: nearest.y, at: nearest.at, text: nearest.y === null ? "not finite" : undefined });
          continue;
        }
        if (!places.length || x < places[0]) continue;
        const end = places.length - 1;
        if (x > places[end] && !section.steps) {
          // Pixels of rounding are no end.
          const near = x - places[end] < 0.01 * width;
          found.push({ method, y: line.y[end], low: line.low[end], high: line.high[end], ended: !near, at: places[end] });
          continue;
        }
        const value = valueAt(line, places, x, section.steps);
        if (value && value.y !== null) found.push({ method, ...value });
      }
      const rank = (r) => (r.y === null ? 2 : r.ended ? 1 : 0);
      return found.sort((a, b) => rank(a) - rank(b) || b.y - a.y);
    }

    const text = (y) => axes.valueText(ySpread.back(y), spec.unit);

    function showReadOut(left, top, speak) {
      const x = plot.posToVal(left, "x");
      place = x;
      const found = readings(x);
      readOut.replaceChildren();
      readOut.hidden = !found.length;
      if (!found.length) return;
      const heading = `${axisNames[axis] || "at"}: ${axes.placeText(xSpread.back(x))}`;
      readOut.append(element("p", "place", heading));
      const wide = found.length <= 12;
      const near = plot.posToVal(top, "y");
      const living = found.filter((r) => r.y !== null && !r.ended);
      const nearest = top < 0 ? null : living.reduce((a, r) => (!a || Math.abs(r.y - near) < Math.abs(a.y - near) ? r : a), null);
      const lists = element("div", "lists");
      const length = wide ? found.length : Math.ceil(found.length / 2);
      found.forEach((reading, i) => {
        if (i % length === 0) lists.append(element("ol"));
        const row = element("li", reading.ended ? "ended" : "");
        if (reading === nearest) row.classList.add("nearest");
        row.append(looks.swatch(reading.method), element("span", "name", page.nameOf(reading.method)));
        const value = element("span", "value", reading.text || text(reading.y));
        if (reading.ended) value.append(element("small", "", " ended"));
        else if (scattered) value.append(element("small", "", ` at ${axes.short(xSpread.back(reading.at))}`));
        else if (wide && Number.isFinite(reading.low) && reading.low !== reading.high) {
          const [low, high] = [text(reading.low), text(reading.high)].map((t) => t.replace("\u00a0%", ""));
          value.append(element("small", "", ` ${low}\u2013${high}`));
        }
        row.append(value);
        lists.lastChild.append(row);
      });
      readOut.append(lists);
      put(left);
      if (speak) {
        const words = found.slice(0, 5).map((r) => `${page.nameOf(r.method)} ${r.text || text(r.y)}${r.ended ? ", ended" : ""}`);
        spoken.textContent = `${heading}: ${words.join("; ")}${found.length > 5 ? `; and ${found.length - 5} more` : ""}`;
      }
    }

    // Puts the read-out beside the chart where there is room, else beside the cursor, else under the chart.
    function put(left) {
      readOut.classList.remove("below");
      const screen = document.documentElement.clientWidth;
      const { left: from, right: to, width } = figure.getBoundingClientRect();
      const ours = readOut.offsetWidth;
      const cursor = box.offsetLeft + plot.over.offsetLeft + left;
      const fits = (at) => from + at >= 4 && from + at + ours <= screen - 4;
      const at = [to - from + 6, -ours - 6, cursor + 16, cursor - 16 - ours].find(fits);
      const below = at === undefined || width > screen - 60;
      readOut.classList.toggle("below", below);
      readOut.style.left = `${below ? 0 : at}px`;
      readOut.style.top = `${below ? box.offsetTop + box.offsetHeight : box.offsetTop}px`;
    }

    function hideReadOut() {
      readOut.hidden = true;
      place = null;
    }

    // The places of the points on screen, for the keyboard.
    function stops() {
      const { min, max } = plot.scales.x;
      const least = (3 * (max - min)) / Math.max(1, plot.over.clientWidth);
      const places = drawn().flatMap((line) => [...xOf(line), ...line.failures]).filter((x) => x >= min && x <= max);
      places.sort((a, b) => a - b);
      return places.filter((x, i) => i === 0 || x - places[i - 1] > 0).reduce((kept, x) => {
        if (!kept.length || x - kept[kept.length - 1] >= least) kept.push(x);
        return kept;
      }, []);
    }

    function moveTo(x) {
      const left = plot.valToPos(x, "x");
      plot.setCursor({ left, top: -10 }, false);
      plot.over.parentElement.querySelector(".u-cursor-x").classList.remove("u-off");
      showReadOut(left, -10, true);
      place = x;
    }

    function onKey(event) {
      if (event.target !== box || !plot || event.ctrlKey || event.metaKey || event.altKey) return;
      const all = stops();
      if (!all.length) return;
      const pace = event.shiftKey ? 10 : 1;
      const after = (x) => all.findIndex((stop) => stop > x + 1e-12);
      const current = place === null ? -1 : all.reduce((best, stop, i) => (Math.abs(stop - place) < Math.abs(all[best] - place) ? i : best), 0);
      switch (event.key) {
        case "ArrowRight":
          moveTo(all[Math.min(all.length - 1, current + pace)]);
          break;
        case "ArrowLeft":
          moveTo(all[current < 0 ? all.length - 1 : Math.max(0, current - pace)]);
          break;
        case "Home":
          moveTo(all[0]);
          break;
        case "End":
          moveTo(all[all.length - 1]);
          break;
        case "Escape":
          if (place === null) reset();
          plot.setCursor({ left: -10, top: -10 }, false);
          hideReadOut();
          break;
        case "+":
        case "-":
          zoomBy(event.key === "+" ? 0.5 : 2);
          break;
        default:
          return;
      }
      event.preventDefault();
    }

    function zoomBy(factor) {
      const { x, y } = plot.scales;
      const centre = place ?? (x.min + x.max) / 2;
      zoom = {
        x: { min: centre - factor * (centre - x.min), max: centre + factor * (x.max - centre) },
        y: { min: y.min, max: y.max },
      };
      fit();
      if (place !== null) moveTo(place);
    }

    function zoomToSelection(u) {
      const { left, top, width, height } = u.select;
      if (width < 4 && height < 4) return;
      zoom = {
        x: { min: u.posToVal(left, "x"), max: u.posToVal(left + width, "x") },
        y: { min: u.posToVal(top + height, "y"), max: u.posToVal(top, "y") },
      };
      u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      fit();
    }

    const sizeOf = () => {
      const width = Math.max(200, box.clientWidth);
      return { width, height: Math.round(Math.max(230, Math.min(360, 0.6 * width))) };
    };

    function mount() {
      if (plot) return;
      const font = "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
      const line = (index, spreadNow, unit, room) => ({
        font,
        stroke: () => looks.style("--soft"),
        grid: { stroke: () => looks.style("--grid"), width: 1 },
        ticks: { stroke: () => looks.style("--grid"), width: 1, size: 5 },
        splits: (u, _, min, max) => {
          const length = index ? u.bbox.height : u.bbox.width;
          const most = Math.max(2, Math.floor(length / uPlot.pxRatio / room));
          return axes.ticks(spreadNow, min, max, most);
        },
        values: (_, splits) => axes.tickTexts(splits.map((t) => Number(spreadNow.back(t).toPrecision(9))), unit),
      });
      const free = { time: false, auto: false, range: (_, min, max) => [min, max] };
      const first = ranges();
      const options = {
        ...sizeOf(),
        padding: [10, 14, 0, 0],
        legend: { show: false },
        scales: { x: { ...free, min: first.x.min, max: first.x.max }, y: { ...free, min: first.y.min, max: first.y.max } },
        series: [{}, { show: true, points: { show: false } }],
        axes: [
          { ...line(0, xSpread, "", 75), size: 32 },
          {
            ...line(1, ySpread, spec.unit, 34),
            size: (u, texts) => 18 + 6.8 * Math.max(2, ...(texts || []).map((t) => t.length)),
          },
        ],
        cursor: {
          y: false,
          points: { show: false },
          drag: { x: true, y: true, uni: 20, dist: 4, setScale: false },
          bind: {
            dblclick: () => () => {
              reset();
              return null;
            },
          },
        },
        hooks: {
          draw: [draw],
          setSelect: [zoomToSelection],
          setCursor: [
            (u) => {
              if (!u.cursor.event) return;
              if (u.cursor.left >= 0) showReadOut(u.cursor.left, u.cursor.top, false);
              else hideReadOut();
            },
          ],
        },
      };
      plot = new uPlot(options, [[first.x.min, first.x.max], [null, null]], box);
      box.addEventListener("keydown", onKey);
      box.addEventListener("blur", () => {
        plot.setCursor({ left: -10, top: -10 }, false);
        hideReadOut();
      });
      const touched = (event) => {
        if (event.pointerType === "mouse") return;
        const { left, top } = plot.over.getBoundingClientRect();
        const at = { left: Math.max(0, Math.min(plot.over.clientWidth, event.clientX - left)), top: event.clientY - top };
        plot.setCursor(at, false);
        showReadOut(at.left, at.top, false);
      };
      plot.over.addEventListener("pointerdown", touched);
      plot.over.addEventListener("pointermove", touched);
      plot.over.addEventListener("mouseleave", hideReadOut);
      new ResizeObserver(() => {
        const size = sizeOf();
        if (!printing && (size.width !== plot.width || size.height !== plot.height)) plot.setSize(size);
      }).observe(box);
      figure.classList.add("drawn");
      fit();
    }

    let printing = false;

    fit();
    return {
      figure,
      mount,
      // After methods were switched on or off.
      refit: fit,
      // After a change of looks only.
      redraw: () => plot && plot.redraw(false, true),
      setAxis: (index) => {
        axis = index;
        hideReadOut();
        reset();
      },
      print: (now) => {
        printing = now;
        if (now) mount();
        plot.setSize(now ? { width: 330, height: 215 } : sizeOf());
      },
    };
  }

  return { make, element, button };
})();
