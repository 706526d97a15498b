// Fills the page: the sections of charts with their legends, and what the tables can do.

(() => {
  const { element, button } = elements;
  const data = JSON.parse(document.getElementById("data").textContent);
  const names = new Map(data.methods.map((method) => [method.slot, method.name]));

  // Which methods are off, and which one the pointer is on: the same for all charts and tables.
  const off = new Set();
  let pointed = null;
  const page = {
    nameOf: (slot) => names.get(slot) ?? `method ${slot}`,
    isOn: (slot) => !off.has(slot),
    outstanding: () => pointed,
  };
  const drawings = [];
  const entries = [];

  function methodsChanged() {
    for (const { slot, entry } of entries) entry.setAttribute("aria-pressed", String(page.isOn(slot)));
    for (const row of document.querySelectorAll("tr[data-method]")) row.classList.toggle("off", off.has(Number(row.dataset.method)));
    drawings.forEach((drawing) => drawing.refit());
  }

  function point(slot) {
    if (slot === pointed) return;
    pointed = slot;
    drawings.forEach((drawing) => drawing.redraw());
  }

  function toggle(slot) {
    if (!off.delete(slot)) off.add(slot);
    methodsChanged();
  }

  function only(slots) {
    names.forEach((_, slot) => (slots.includes(slot) ? off.delete(slot) : off.add(slot)));
    methodsChanged();
  }

  // The legend of a section: its methods, in the order of their looks.
  function legend(slots) {
    const box = element("div", "legend");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Methods shown in all charts");
    for (const slot of slots) {
      const entry = button("", "entry", (event) => (event.shiftKey ? only([slot]) : toggle(slot)));
      entry.append(looks.swatch(slot), page.nameOf(slot));
      entry.dataset.method = slot;
      entry.title = "Click: on or off. Double click, or click with Shift: only this.";
      entry.addEventListener("dblclick", () => only([slot]));
      for (const event of ["pointerenter", "focus"]) entry.addEventListener(event, () => point(slot));
      for (const event of ["pointerleave", "blur"]) entry.addEventListener(event, () => point(null));
      entries.push({ slot, entry });
      box.append(entry);
    }
    const all = button("all", "set", () => only([...names.keys()]));
    const none = button("none", "set", () => only([]));
    box.append(all, none);
    return box;
  }

  // The buttons that choose the horizontal axis of a section.
  function axisTabs(section, drawn) {
    const box = element("div", "tabs");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Horizontal axis");
    const buttons = section.axes.map((name, index) =>
      button(`over ${name}`, "", () => {
        buttons.forEach((other, i) => other.setAttribute("aria-pressed", String(i === index)));
        drawn.forEach((drawing) => drawing.setAxis(index));
      })
    );
    buttons.forEach((tab, i) => tab.setAttribute("aria-pressed", String(i === 0)));
    box.append(...buttons);
    return box;
  }

  function fill(place, section) {
    const drawn = [
      ...(section.charts || []).map((spec) => charts.make(section, spec, page)),
      ...(section.bars || []).map((spec) => bars.make(section, spec, page)),
    ];
    if (!drawn.length) return;
    drawings.push(...drawn);
    const used = new Set([
      ...(section.charts || []).flatMap((spec) => spec.series.map((series) => series.method)),
      ...(section.bars || []).flatMap((spec) => spec.rows.map((row) => row.method)),
    ]);
    const slots = [...names.keys()].filter((slot) => used.has(slot));
    place.append(element("h2", "", section.title));
    if (section.note) place.append(element("p", "note", section.note));
    const controls = element("div", "controls");
    if ((section.axes || []).length > 1) controls.append(axisTabs(section, drawn));
    controls.append(legend(slots));
    const grid = element("div", drawn.length === 1 ? "grid single" : "grid");
    grid.append(...drawn.map((drawing) => drawing.figure));
    place.append(controls, grid);
    place.classList.add("filled");
  }

  // Draws each chart when it comes near the screen, and all of them for paper.
  function drawWhenSeen() {
    if (!("IntersectionObserver" in window)) return drawings.forEach((drawing) => drawing.mount());
    const byFigure = new Map(drawings.map((drawing) => [drawing.figure, drawing]));
    const observer = new IntersectionObserver(
      (seen) => {
        for (const { target } of seen.filter((one) => one.isIntersecting)) {
          byFigure.get(target).mount();
          observer.unobserve(target);
        }
      },
      { rootMargin: "600px" }
    );
    byFigure.forEach((_, figure) => observer.observe(figure));
    return undefined;
  }

  function print(now) {
    looks.print(now);
    drawings.forEach((drawing) => {
      drawing.print(now);
      drawing.redraw();
    });
  }

  // A click on a heading sorts the table by that column, a second click the other way round. Rows without a
  // number there, and the baseline, stay last.
  function sortable(table) {
    const body = table.tBodies[0];
    if (!table.tHead || !body) return;
    const headings = [...table.tHead.rows[0].cells];
    const text = (row, column) => row.cells[column].textContent.replace(/^[*=!\s]+/, "").trim();
    const number = (row, column) => parseFloat(text(row, column).replaceAll(",", "").replace("\u2212", "-"));
    headings.forEach((heading, column) => {
      const sort = button("", "sort", () => {
        const down = heading.getAttribute("aria-sort") === "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sign = down ? -1 : 1;
        const order = (a, b) => {
          const last = a.classList.contains("baseline") - b.classList.contains("baseline");
          if (last) return last;
          if (column === 0) return sign * text(a, 0).localeCompare(text(b, 0));
          const [x, y] = [number(a, column), number(b, column)];
          return isNaN(x) - isNaN(y) || (isNaN(x) ? 0 : sign * (x - y));
        };
        body.append(...[...body.rows].sort(order));
      });
      sort.title = "Sort by this column";
      sort.append(...heading.childNodes);
      heading.append(sort);
    });
  }

  // A figure's interval may stand under it where the table is wide.
  function setIntervalsApart(table) {
    for (const cell of table.querySelectorAll("td")) {
      const [, figure, interval] = cell.textContent.match(/^(\S+) (\[.*\]\S*)$/) || [];
      if (!interval) continue;
      cell.classList.add("with-interval");
      cell.replaceChildren(`${figure} `, element("span", "interval", interval));
    }
  }

  looks.styleRules();
  for (const place of document.querySelectorAll("section.charts")) {
    const section = data.sections.find(({ id }) => id === place.dataset.section);
    if (section) fill(place, section);
  }
  for (const row of document.querySelectorAll("tr[data-method]")) {
    const slot = Number(row.dataset.method);
    row.cells[0].prepend(looks.swatch(slot), " ");
    row.addEventListener("pointerenter", () => point(slot));
    row.addEventListener("pointerleave", () => point(null));
  }
  for (const name of document.querySelectorAll(".ties [data-method]")) name.prepend(looks.swatch(Number(name.dataset.method)), " ");
  // Not all browsers let the keyboard into what scrolls.
  for (const wide of document.querySelectorAll(".scroll, pre.data")) wide.tabIndex = 0;
  document.querySelectorAll("table.summary").forEach(sortable);
  document.querySelectorAll("table.summary").forEach(setIntervalsApart);
  drawWhenSeen();
  looks.whenSchemeChanges(() => drawings.forEach((drawing) => drawing.redraw()));
  window.addEventListener("beforeprint", () => print(true));
  window.addEventListener("afterprint", () => print(false));
})();
