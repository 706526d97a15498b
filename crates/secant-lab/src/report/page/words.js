// What a chart says of itself in words.

const words = (() => {
  // For those who do not see it.
  function label(view) {
    const { spec, page, everyLine } = view;
    const lastOf = (line) => line.y.findLast(Number.isFinite);
    const known = view.drawn().filter((line) => lastOf(line) !== undefined);
    known.sort((a, b) => lastOf(b) - lastOf(a));
    const name = (line) => page.nameOf(line.method);
    const ends = known.length ? `; the highest at its end is ${name(known[0])}, the lowest ${name(known.at(-1))}` : "";
    const over = view.axisName() ? ` over ${view.axisName()}` : "";
    return `${spec.title}${over}, ${view.drawn().length} of ${everyLine.length} methods${ends}. Arrow keys read the values, + and - zoom.`;
  }

  // Which lines leave the chart between these ends, where it is `isCut`; and why there are none.
  function cut(view, isCut, x, y) {
    const drawn = view.drawn();
    if (!drawn.length) return "All its methods are switched off.";
    const hasValue = (line) => line.y.some(Number.isFinite);
    if (!drawn.some(hasValue)) return "There is no finite value.";
    if (!isCut) return "";
    const beyond = { "to the right": [], "at the top": [], "at the bottom": [] };
    for (const line of drawn) {
      const places = view.xOf(line);
      const name = view.page.nameOf(line.method);
      if (places.at(-1) > x.max) beyond["to the right"].push(name);
      const leaves = (values, is) => values.some((v, i) => v !== null && is(v) && places[i] <= x.max);
      for (const [side, is, band] of [["at the top", (v) => v > y.max, line.high], ["at the bottom", (v) => v < y.min, line.low]]) {
        if (leaves(line.y, is)) beyond[side].push(name);
        else if (leaves(band, is)) beyond[side].push(`the band of ${name}`);
      }
    }
    const list = (names) => (names.length > 4 ? `${names.length} of the methods` : names.join(", "));
    const texts = Object.entries(beyond).filter(([, names]) => names.length).map(([side, names]) => `${list(names)} (${side})`);
    return texts.length ? `Beyond the edge: ${texts.join("; ")}.` : "";
  }

  return { label, cut };
})();
