// The read-out beside a chart: what each method has at a place, as text, for eyes and for screen readers.

const readOuts = (() => {
  const { element } = elements;

  // So many methods stand in one column, with their ranges.
  const ONE_COLUMN = 12;

  function make(view) {
    const { figure, box, spec, xSpread, ySpread } = view;
    const panel = element("div", "read-out");
    panel.hidden = true;
    const spoken = element("p", "spoken");
    spoken.setAttribute("aria-live", "polite");
    figure.append(panel, spoken);

    // What there is at `x` of the axis, which is `left` in the chart.
    function show(plot, x, left, top, speak) {
      const found = lines.readings(view, x, plot.scales.x.max - plot.scales.x.min);
      const back = (y) => ySpread.back(y);
      const texts = axes.listTexts(found.map((r) => (r.y === null ? NaN : back(r.y))), spec.unit);
      const text = (i) => found[i].text || texts[i];
      panel.replaceChildren();
      panel.hidden = !found.length;
      if (!found.length) return;
      const heading = `${view.axisName() || "at"}: ${axes.placeText(xSpread.back(x))}`;
      panel.append(element("p", "place", heading));

      const wide = found.length <= ONE_COLUMN;
      const near = plot.posToVal(top, "y");
      const living = found.filter((r) => r.y !== null && !r.ended);
      const nearest = top < 0 ? null : living.reduce((a, r) => (!a || Math.abs(r.y - near) < Math.abs(a.y - near) ? r : a), null);
      const lists = element("div", "lists");
      const length = wide ? found.length : Math.ceil(found.length / 2);
      found.forEach((reading, i) => {
        if (i % length === 0) lists.append(element("ol"));
        const row = element("li", reading.ended ? "ended" : "");
        if (reading === nearest) row.classList.add("nearest");
        row.append(looks.swatch(reading.method), element("span", "name", view.page.nameOf(reading.method)));
        const value = element("span", "value", text(i));
        if (reading.ended) value.append(element("small", "", " ended"));
        else if (view.scattered) value.append(element("small", "", ` at ${axes.short(xSpread.back(reading.at))}`));
        else if (wide && Number.isFinite(reading.low) && reading.low !== reading.high) {
          const range = axes.listTexts([back(reading.low), back(reading.high)], spec.unit).map((t) => t.replace("\u00a0%", ""));
          value.append(element("small", "", ` ${range.join("\u2013")}`));
        }
        row.append(value);
        lists.lastChild.append(row);
      });
      panel.append(lists);
      place(plot, left);
      if (!speak) return;
      const spokenOnes = found.slice(0, 5).map((r, i) => `${view.page.nameOf(r.method)} ${text(i)}${r.ended ? ", ended" : ""}`);
      spoken.textContent = `${heading}: ${spokenOnes.join("; ")}${found.length > 5 ? `; and ${found.length - 5} more` : ""}`;
    }

    // Puts the read-out beside the chart where there is room, else beside the cursor, else under the chart, or
    // over it where there is more room; always so that the screen shows as much of it as it can.
    function place(plot, left) {
      panel.classList.remove("below");
      const { clientWidth: screenWidth, clientHeight: screenHeight } = document.documentElement;
      const { left: from, right: to, top: figureTop, width } = figure.getBoundingClientRect();
      const ours = panel.offsetWidth;
      const cursor = box.offsetLeft + plot.over.offsetLeft + left;
      const fits = (at) => from + at >= 4 && from + at + ours <= screenWidth - 4;
      const at = [to - from + 6, -ours - 6, cursor + 16, cursor - 16 - ours].find(fits);
      const below = at === undefined || width > screenWidth - 60;
      panel.classList.toggle("below", below);
      panel.style.left = `${below ? 0 : at}px`;
      const tall = panel.offsetHeight;
      const boxTop = box.offsetTop;
      const boxEnd = boxTop + box.offsetHeight;
      if (below) {
        const [above, under] = [figureTop + boxTop, screenHeight - figureTop - boxEnd];
        panel.style.top = `${under >= tall || under >= above ? boxEnd : boxTop - tall}px`;
      } else {
        const lowest = screenHeight - 4 - tall - figureTop;
        panel.style.top = `${Math.max(4 - figureTop, Math.min(boxTop, lowest))}px`;
      }
    }

    return { show, hide: () => (panel.hidden = true), isHidden: () => panel.hidden };
  }

  return { make };
})();
