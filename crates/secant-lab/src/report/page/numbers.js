// The numbers of a chart as a table, made when it is opened: for those who do not see the drawing, and to copy.

const numbers = (() => {
  const { element } = elements;

  function make(view) {
    const details = element("details", "numbers");
    const scroll = element("div", "scroll");
    // Not all browsers let the keyboard into what scrolls.
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", `The numbers of ${view.spec.title}`);
    details.append(element("summary", "", "The numbers"), scroll);

    // Each method's trials, or its values at some places of the axis.
    function columns() {
      const { min, max } = view.ends().x;
      if (view.scattered) return [];
      const inner = axes.ticks(view.xSpread, min, max, 6);
      const last = Math.max(...view.drawn().map((line) => view.xOf(line).at(-1) ?? -Infinity).filter((x) => x <= max));
      return Number.isFinite(last) && !inner.some((x) => Math.abs(x - last) < 0.02 * (max - min)) ? [...inner.filter((x) => x < last), last] : inner;
    }

    function fill() {
      if (!details.open) return;
      const table = element("table");
      const head = element("tr");
      const heading = (text) => {
        const cell = element("th", "", text);
        cell.scope = "col";
        return cell;
      };
      const places = columns();
      head.append(heading(view.axisName() || "at"));
      if (view.scattered) head.append(heading("value"));
      else head.append(...axes.tickTexts(places.map((x) => Number(view.xSpread.back(x).toPrecision(6))), "").map(heading));
      const body = element("tbody");
      for (const row of view.scattered ? trials() : values(places)) body.append(row);
      table.append(element("thead"), body);
      table.tHead.append(head);
      scroll.replaceChildren(table);
    }

    function row(name, cells) {
      const made = element("tr");
      const head = element("th", "", name);
      head.scope = "row";
      made.append(head, ...cells.map((text) => element("td", "", text)));
      return made;
    }

    function values(places) {
      const { x } = view.ends();
      const found = places.map((place) => new Map(lines.readings(view, place, x.max - x.min).map((r) => [r.method, r])));
      return view.drawn().map((line) => {
        const cells = found.map((at) => at.get(line.method)).map((r) => (!r || r.ended ? NaN : view.ySpread.back(r.y)));
        return row(view.page.nameOf(line.method), axes.listTexts(cells, view.spec.unit));
      });
    }

    function trials() {
      return view.drawn().flatMap((line) => {
        const at = (x) => `${view.page.nameOf(line.method)} ${axes.short(view.xSpread.back(x))}`;
        const known = view.xOf(line).map((x, i) => row(at(x), axes.listTexts([line.y[i] === null ? NaN : view.ySpread.back(line.y[i])], view.spec.unit)));
        return [...known, ...line.failures.map((x) => row(at(x), ["not finite"]))];
      });
    }

    details.addEventListener("toggle", fill);
    return { details, fill };
  }

  return { make };
})();
