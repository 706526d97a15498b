// One chart: uPlot has the axes, the cursor and the zoom; the lines are drawn by `paint`, since those of one
// chart do not share their places.

const charts = (() => {
  const { element, button } = elements;

  // `page` knows the methods: nameOf(slot), isOn(slot), outstanding() (a slot or null).
  function make(section, spec, page) {
    const { all: everyLine, xSpread, ySpread, level } = lines.laidOut(section, spec);
    const axisNames = section.axes || [""];
    let axis = 0;
    let all = false;
    let zoom = null;
    let plot = null;
    // Where the cursor is, on paper.
    let place = null;
    let printing = false;

    const figure = element("figure", "chart");
    figure.id = `chart-${section.id}-${spec.id}`;
    const caption = element("figcaption");
    const scales = { log: "logarithmic", error: "widens towards 100\u00a0%" };
    const tools = element("span", "tools");
    const resetButton = button("Reset zoom", "reset", () => {
      reset();
      // The button goes; who came by keyboard stays in the chart.
      box.focus({ preventScroll: true });
    });
    const allButton = button("Show all", "show-all", () => {
      all = !all;
      reset();
    });
    const sizeButton = button("Enlarge", "enlarge", () => {
      const large = figure.classList.toggle("large");
      sizeButton.setAttribute("aria-pressed", String(large));
    });
    sizeButton.setAttribute("aria-pressed", "false");
    resetButton.hidden = allButton.hidden = true;
    tools.append(resetButton, allButton, sizeButton);
    caption.append(element("span", "chart-title", spec.title), tools, element("small", "", scales[spec.y] || "\u00a0"));
    const box = element("div", "plot");
    box.tabIndex = 0;
    box.setAttribute("role", "img");
    const xName = element("p", "x-name");
    const cutNote = element("p", "cut-note");
    figure.append(caption, box, xName, cutNote);

    const drawn = () => everyLine.filter((line) => page.isOn(line.method));
    const xOf = (line) => line.x[Math.min(axis, line.x.length - 1)] || [];
    const view = {
      section, spec, page, figure, box, everyLine, xSpread, ySpread, level, drawn, xOf,
      // Trials of a rate are points of their own: nothing is read between them.
      scattered: section.x_log && !section.steps,
      axisName: () => axisNames[axis] || "",
      ends: () => zoom || ranges(),
      isZoomed: () => zoom !== null,
    };
    const readOut = readOuts.make(view);
    const table = numbers.make(view);
    figure.append(table.details);

    function ranges() {
      const visible = drawn().length ? drawn() : everyLine;
      const places = (line) => [...xOf(line), ...line.failures].sort((a, b) => a - b);
      const x = axes.xRange(visible.map(places), section.x_log, all);
      // Only what lies within the horizontal axis counts for the vertical one.
      const inside = (line) => [line.y, line.low, line.high].flatMap((values) => values.filter((_, i) => xOf(line)[i] <= x.max));
      const y = axes.yRange(visible.map(inside), spec.y, level, all);
      // Even shares are seen against all there is.
      if (spec.unit === "%" && spec.y === "linear") {
        Object.assign(y, { min: Math.min(y.min, -0.03), max: Math.max(y.max, 1.04), cut: false });
      }
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
      xName.textContent = view.axisName() + (section.x_log ? " (logarithmic)" : "");
      box.setAttribute("aria-label", words.label(view));
      cutNote.textContent = words.cut(view, cut && !all && !zoom, x, y);
      cutNote.hidden = !cutNote.textContent;
      table.fill();
      if (!plot) return;
      plot.batch(() => {
        plot.setScale("x", { min: xEnds.min, max: xEnds.max });
        plot.setScale("y", { min: yEnds.min, max: yEnds.max });
      });
      plot.redraw(false, true);
    }

    function reset() {
      zoom = null;
      fit();
    }

    function hideReadOut() {
      readOut.hide();
      place = null;
    }

    function showReadOut(x, left, top, speak) {
      place = x;
      readOut.show(plot, x, left, top, speak);
    }

    // The places of the points, for the keyboard: all that are far enough apart on screen.
    function stops() {
      const { min, max } = plot.scales.x;
      const least = (3 * (max - min)) / Math.max(1, plot.over.clientWidth);
      const limit = zoom ? Infinity : max;
      const places = drawn().flatMap((line) => [...xOf(line), ...line.failures]).filter((x) => x <= limit);
      return places.sort((a, b) => a - b).reduce((kept, x) => {
        if (!kept.length || x - kept.at(-1) >= least) kept.push(x);
        return kept;
      }, []);
    }

    // A cursor that leaves a zoomed chart takes it along.
    function moveTo(x) {
      const { min, max } = plot.scales.x;
      if (zoom && (x < min || x > max)) {
        const start = x < min ? x - 0.1 * (max - min) : x - 0.9 * (max - min);
        zoom = { ...zoom, x: { min: start, max: start + max - min } };
        fit();
      }
      const left = plot.valToPos(x, "x");
      plot.setCursor({ left, top: -10 }, false);
      plot.over.parentElement.querySelector(".u-cursor-x").classList.remove("u-off");
      showReadOut(x, left, -10, true);
    }

    function onKey(event) {
      if (event.target !== box || event.ctrlKey || event.metaKey || event.altKey) return;
      const all = stops();
      if (!all.length) return;
      const pace = event.shiftKey ? 10 : 1;
      const inside = all.map((x, i) => (x >= plot.scales.x.min && x <= plot.scales.x.max ? i : -1)).filter((i) => i >= 0);
      const nearest = () => all.reduce((best, stop, i) => (Math.abs(stop - place) < Math.abs(all[best] - place) ? i : best), 0);
      const step = (by) => {
        const first = by > 0 ? inside[0] : inside.at(-1);
        const to = place === null ? first ?? 0 : nearest() + by * pace;
        moveTo(all[Math.max(0, Math.min(all.length - 1, to))]);
      };
      switch (event.key) {
        case "ArrowRight":
          step(1);
          break;
        case "ArrowLeft":
          step(-1);
          break;
        case "Home":
          moveTo(all[0]);
          break;
        case "End":
          moveTo(all.at(-1));
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
        case "0":
          reset();
          if (place !== null) moveTo(place);
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
      const most = figure.classList.contains("large") ? 560 : 360;
      return { width, height: Math.round(Math.max(230, Math.min(most, 0.6 * width))) };
    };

    function options() {
      const font = "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
      const line = (index, spread, unit, room) => ({
        font,
        stroke: () => looks.style("--soft"),
        grid: { stroke: () => looks.style("--grid"), width: 1 },
        ticks: { stroke: () => looks.style("--grid"), width: 1, size: 5 },
        splits: (u, _, min, max) => {
          const length = index ? u.bbox.height : u.bbox.width;
          const most = Math.max(2, Math.floor(length / uPlot.pxRatio / room));
          return axes.ticks(spread, min, max, most);
        },
        values: (_, splits) => axes.tickTexts(splits.map((t) => Number(spread.back(t).toPrecision(9))), unit),
      });
      const free = { time: false, auto: false, range: (_, min, max) => [min, max] };
      const { x, y } = ranges();
      return {
        ...sizeOf(),
        padding: [10, 14, 0, 0],
        legend: { show: false },
        scales: { x: { ...free, min: x.min, max: x.max }, y: { ...free, min: y.min, max: y.max } },
        series: [{}, { show: true, points: { show: false } }],
        axes: [
          { ...line(0, xSpread, "", 75), size: 32 },
          { ...line(1, ySpread, spec.unit, 34), size: (u, texts) => 18 + 6.8 * Math.max(2, ...(texts || []).map((t) => t.length)) },
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
          draw: [(u) => paint.chart(u, view)],
          setSelect: [zoomToSelection],
          setCursor: [
            (u) => {
              if (!u.cursor.event) return;
              if (u.cursor.left >= 0) showReadOut(u.posToVal(u.cursor.left, "x"), u.cursor.left, u.cursor.top, false);
              else hideReadOut();
            },
          ],
        },
      };
    }

    function mount() {
      if (plot) return;
      const given = options();
      plot = new uPlot(given, [[given.scales.x.min, given.scales.x.max], [null, null]], box);
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
        showReadOut(plot.posToVal(at.left, "x"), at.left, at.top, false);
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

  return { make };
})();
