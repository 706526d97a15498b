// Bars of what the methods cost: plain HTML, so that the figures can be read and copied.

const bars = (() => {
  const { element, button } = elements;

  const valueText = (value, unit) => (unit === "s" || unit === "ms" ? axes.time(value) : axes.grouped(value));

  // Where the bars end: one far above the others does not press them together.
  function end(rows) {
    const ends = rows.map((row) => Math.max(row.value, row.high ?? 0));
    const full = Math.max(...ends, 0);
    const robust = 3 * axes.median(rows.map((row) => row.value));
    return full > robust ? { full, robust } : { full, robust: full };
  }

  function make(section, spec, page) {
    let all = false;
    const figure = element("figure", "bars");
    const caption = element("figcaption");
    caption.append(element("span", "chart-title", spec.title));
    const tools = element("span", "tools");
    const allButton = button("Show all", "show-all", () => {
      all = !all;
      fit();
    });
    tools.append(allButton);
    caption.append(tools, element("small", "", spec.unit));
    const list = element("ul");
    list.setAttribute("aria-label", `${spec.title} in ${spec.unit}, least first`);
    figure.append(caption, list);

    const known = spec.rows.filter((row) => Number.isFinite(row.value)).sort((a, b) => a.value - b.value);
    const unknown = spec.rows.filter((row) => !Number.isFinite(row.value));
    const rows = [...known, ...unknown].map((row) => {
      const item = element("li");
      item.dataset.method = row.method;
      const name = element("span", "name");
      item.title = page.nameOf(row.method);
      name.append(looks.swatch(row.method), element("span", "", page.nameOf(row.method)));
      const track = element("span", "track");
      const bar = element("span", "bar");
      const whisker = element("span", "whisker");
      const isKnown = Number.isFinite(row.value);
      const value = element("span", isKnown ? "value" : "value none", isKnown ? valueText(row.value, spec.unit) : "");
      if (row.note || !isKnown) value.append(" ", element("small", "", row.note || "\u2013"));
      bar.style.background = whisker.style.color = `var(--method-${row.method % 27})`;
      if (isKnown) track.append(bar);
      if (Number.isFinite(row.low) && row.high > row.low) track.append(whisker);
      if (Number.isFinite(row.low) && row.high > row.low) {
        item.title = `${page.nameOf(row.method)}: ${valueText(row.value, spec.unit)} (${valueText(row.low, spec.unit)} to ${valueText(row.high, spec.unit)}) ${spec.unit}`;
      }
      item.append(name, track, value);
      list.append(item);
      return { row, item, bar, whisker };
    });

    function fit() {
      const visible = known.filter((row) => page.isOn(row.method));
      const { full, robust } = end(visible.length ? visible : known);
      const most = (all ? full : robust) || 1;
      allButton.hidden = full <= robust;
      allButton.textContent = all ? "Show most" : "Show all";
      const share = (value) => 100 * Math.max(0, Math.min(1, value / most));
      for (const { row, item, bar, whisker } of rows) {
        item.classList.toggle("off", !page.isOn(row.method));
        bar.style.width = `${share(row.value)}%`;
        bar.classList.toggle("cut", row.value > 1.0001 * most);
        whisker.style.left = `${share(row.low)}%`;
        whisker.style.width = `${share(row.high) - share(row.low)}%`;
      }
      redraw();
    }

    function redraw() {
      const outstanding = page.outstanding();
      for (const { row, item } of rows) item.classList.toggle("faded", outstanding !== null && outstanding !== row.method);
    }

    fit();
    return { figure, mount() {}, refit: fit, redraw, setAxis() {}, print() {} };
  }

  return { make };
})();
