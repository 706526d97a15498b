// The lines of a chart as they lie on paper, and what is read off them.

const lines = (() => {
  // A chart's lines and the spreads of its axes.
  function laidOut(section, spec) {
    const values = spec.series.flatMap((s) => [...s.y, ...(s.low || []), ...(s.high || [])]).filter(Number.isFinite);
    const places = spec.series.flatMap((s) => [...s.x.flat(), ...(s.failures || [])]);
    const ySpread = axes.spreadOf(spec.y, spec.level === undefined ? values : [...values, spec.level]);
    const xSpread = axes.spreadOf(section.x_log ? "log" : "linear", places);
    const onPaper = (list) => (list || []).map((v) => (Number.isFinite(v) ? ySpread.forth(v) : null));
    const all = spec.series.map((s) => ({
      method: s.method,
      x: s.x.map((axis) => axis.map(xSpread.forth)),
      y: onPaper(s.y),
      low: onPaper(s.low),
      high: onPaper(s.high),
      marked: s.marked || [],
      failures: (s.failures || []).map(xSpread.forth),
    }));
    return { all, xSpread, ySpread, level: Number.isFinite(spec.level) ? ySpread.forth(spec.level) : NaN };
  }

  const hasBand = (line) => line.high.some((high, i) => high !== null && line.low[i] !== null && high !== line.low[i]);

  // The pieces of a line between its gaps.
  function eachPiece(line, act) {
    let from = 0;
    for (let i = 0; i <= line.y.length; i++) {
      if (i < line.y.length && line.y[i] !== null) continue;
      if (i > from) act(from, i);
      from = i + 1;
    }
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

  // The trial of a rate that is nearest to x: nothing is read between trials.
  function nearestTrial(line, places, x, reach) {
    const trials = places.map((at, i) => ({ at, y: line.y[i] })).concat(line.failures.map((at) => ({ at, y: null })));
    const nearest = trials.reduce((a, t) => (!a || Math.abs(t.at - x) < Math.abs(a.at - x) ? t : a), null);
    if (!nearest || Math.abs(nearest.at - x) > reach) return null;
    return { y: nearest.y, at: nearest.at, text: nearest.y === null ? "not finite" : undefined };
  }

  // What each line of `view` that is switched on has at x, the largest value first, then those that ended
  // before. `width` is that of the chart.
  function readings(view, x, width) {
    const found = [];
    for (const line of view.drawn()) {
      const places = view.xOf(line);
      const { method } = line;
      if (view.scattered) {
        const trial = nearestTrial(line, places, x, 0.08 * width);
        if (trial) found.push({ method, ...trial });
        continue;
      }
      // Pixels of rounding are neither before the beginning nor beyond the end.
      const near = 0.01 * width;
      if (!places.length || x < places[0] - near) continue;
      const end = places.length - 1;
      if (x > places[end] && !view.section.steps) {
        if (line.y[end] !== null) found.push({ method, y: line.y[end], low: line.low[end], high: line.high[end], ended: x - places[end] >= near, at: places[end] });
        continue;
      }
      const value = valueAt(line, places, Math.max(x, places[0]), view.section.steps);
      if (value && value.y !== null) found.push({ method, ...value });
    }
    const rank = (r) => (r.y === null ? 2 : r.ended ? 1 : 0);
    return found.sort((a, b) => rank(a) - rank(b) || b.y - a.y);
  }

  return { laidOut, hasBand, eachPiece, valueAt, readings };
})();
