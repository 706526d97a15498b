// How axes are spread, where they begin and end, what stands at them, and how numbers are written.

const axes = (() => {
  const trimmed = (digits) => (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits);

  // Three significant digits, as the tables have them: 0.001, 3.16e-5.
  function short(value) {
    if (value === 0) return "0";
    const [mantissa, exponent] = value.toExponential(2).split("e");
    const power = Number(exponent);
    if (power >= -3 && power < 6) return trimmed(value.toFixed(Math.max(0, 2 - power)));
    return `${trimmed(mantissa)}e${power}`;
  }

  const grouped = (value) => value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",");
  const percent = (share) => `${trimmed((100 * share).toFixed(2))}\u00a0%`;

  function time(value) {
    if (value < 0.1) return value.toFixed(3);
    if (value < 10) return value.toFixed(2);
    return value < 100 ? value.toFixed(1) : grouped(value);
  }

  const valueText = (value, unit) => (unit === "%" ? percent(value) : short(value));

  // Values that stand one under the other: with the same digits after the point, as many as tell the best
  // share from one; numbers with three significant digits.
  function listTexts(values, unit) {
    const known = values.filter(Number.isFinite);
    const write = (text) => values.map((v) => (Number.isFinite(v) ? text(v) : "\u2013"));
    if (unit !== "%") return write((v) => (v === 0 || (Math.abs(v) >= 1e-3 && Math.abs(v) < 1e6) ? fixed(v) : short(v)));
    const rest = Math.min(...known.map((v) => 1 - v).filter((d) => d > 0), 1);
    const digits = Math.max(2, Math.min(6, Math.ceil(-Math.log10(100 * rest)) + 1));
    return write((v) => `${(100 * v).toFixed(digits)}\u00a0%`);
  }

  // Three significant digits, with their zeros.
  function fixed(value) {
    if (value === 0) return "0";
    const rounded = Number(value.toPrecision(3));
    return rounded.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded)))));
  }

  // A place on a horizontal axis: large counts in full.
  const placeText = (value) => (Math.abs(value) >= 1000 ? grouped(value) : short(value));

  // A spread maps values to lengths on paper and back. `floor` is the least distance that logarithms see.
  function spread(kind, floor) {
    switch (kind) {
      case "log":
        return { kind, forth: (v) => Math.log10(Math.max(v, floor)), back: (t) => 10 ** t };
      case "error":
        return { kind, forth: (v) => -Math.log10(Math.max(1 - v, floor)), back: (t) => 1 - 10 ** -t };
      default:
        return { kind: "linear", forth: (v) => v, back: (t) => t };
    }
  }

  // The spread of the values, with a floor just under the smallest of them that has a logarithm.
  function spreadOf(kind, values) {
    const distances = values.map((v) => (kind === "error" ? 1 - v : v)).filter((d) => d > 0);
    const least = distances.reduce((a, b) => Math.min(a, b), Infinity);
    const hasZero = values.some((v) => (kind === "error" ? v >= 1 : v <= 0));
    const floor = Number.isFinite(least) ? least * (hasZero ? 0.5 : 1) : 1e-3;
    return spread(kind, Math.max(floor, kind === "error" ? 1e-6 : 1e-300));
  }

  function quantile(values, share) {
    if (!values.length) return NaN;
    const sorted = [...values].sort((a, b) => a - b);
    const place = share * (sorted.length - 1);
    const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return below + (above - below) * (place - Math.floor(place));
  }

  const median = (values) => quantile(values, 0.5);

  // The ends of the horizontal axis, all on paper: one method that takes far longer than the others does
  // not press them together. `lines` are the ascending places of each line.
  function xRange(lines, isLog, all) {
    const filled = lines.filter((line) => line.length);
    if (!filled.length) return { min: 0, max: 1, cut: false };
    const min = Math.min(...filled.map((line) => line[0]));
    const ends = filled.map((line) => line[line.length - 1]);
    const full = Math.max(...ends);
    const robust = min + 1.5 * (median(ends) - min);
    const cut = !isLog && full > min + 1.1 * (robust - min) && robust > min;
    const max = cut && !all ? robust : full;
    const room = max > min ? max - min : Math.abs(max) || 1;
    const pad = isLog ? 0.03 : 0.015;
    return { min: min - pad * room, max: max + pad * room, cut };
  }

  // The ends of the vertical axis, on paper. What lies far on the bad side of most lines is cut off; the
  // good side is cut for no logarithmic spread, so that the best line is always seen.
  function yRange(lines, kind, level, all) {
    const filled = lines.map((line) => line.filter(Number.isFinite)).filter((line) => line.length);
    if (!filled.length) return { min: 0, max: 1, cut: false };
    const lows = filled.map((line) => Math.min(...line));
    const highs = filled.map((line) => Math.max(...line));
    let [min, max] = [Math.min(...lows), Math.max(...highs)];
    const [low, high] = [median(filled.map((l) => quantile(l, 0.02))), median(filled.map((l) => quantile(l, 0.98)))];
    const room = Math.max(high - low, kind === "linear" ? 1e-9 * Math.max(1, Math.abs(high)) : 0.02);
    const [least, most] = [low - room, high + room];
    // It is not worth it for a little.
    const little = 0.1 * (most - least);
    const cutLow = kind !== "log" && min < least - little;
    const cutHigh = kind !== "error" && max > most + little;
    if (!all) {
      if (cutLow) min = least;
      if (cutHigh) max = most;
    }
    if (Number.isFinite(level)) [min, max] = [Math.min(min, level), Math.max(max, level)];
    const span = max > min ? max - min : Math.abs(max) * 0.1 || 1;
    return { min: min - 0.05 * span, max: max + 0.05 * span, cut: cutLow || cutHigh };
  }

  function evenTicks(min, max, most) {
    const rough = (max - min) / Math.max(1, most);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough * 0.999) || 10 * power;
    const ticks = [];
    const first = Math.ceil(min / step - 1e-9);
    for (let k = first; k * step <= max + 1e-9 * step && ticks.length < 60; k++) ticks.push(Number((k * step).toPrecision(12)));
    return ticks;
  }

  // The places on paper of the ticks between two places, at most `most` of them.
  function ticks({ kind, back }, min, max, most) {
    // Ticks may lie beyond the least distance of the lines.
    const { forth } = spread(kind, 1e-300);
    if (kind === "linear") return evenTicks(min, max, most);
    const [low, high] = [Math.ceil(min) - 1, Math.floor(max) + 1];
    const stride = Math.max(1, Math.ceil((max - min) / most));
    const steps = [[1], [1, 3], [1, 2, 5]];
    let best = [];
    for (const factors of stride > 1 ? [[1]] : steps) {
      const found = [];
      for (let power = low; power <= high; power++) {
        if (power % stride) continue;
        for (const factor of factors) {
          const value = kind === "log" ? factor * 10 ** power : 1 - (factor === 1 ? 1 : factor / 10) * 10 ** -power;
          const place = forth(value);
          if (place >= min && place <= max && !found.includes(value)) found.push(value);
        }
      }
      if (found.length <= most && found.length >= best.length) best = found;
    }
    if (best.length < 3) {
      const even = evenTicks(back(min), back(max), most);
      if (even.length > best.length) best = even;
    }
    return best.map(forth).sort((a, b) => a - b);
  }

  // The values at an axis in words, with as many digits as tell them apart.
  function tickTexts(values, unit) {
    if (unit === "%") {
      for (let digits = 0; digits < 6; digits++) {
        const texts = values.map((v) => trimmed((100 * v).toFixed(digits)));
        if (new Set(texts).size === texts.length && values.every((v, i) => Math.abs(Number(texts[i]) / 100 - v) < 1e-4 * (1 - v) + 1e-9)) {
          return texts.map((text) => text + "\u00a0%");
        }
      }
    }
    if (Math.max(...values.map(Math.abs)) >= 1e4) {
      const size = (v) => (Math.abs(v) >= 1e9 ? [1, ""] : Math.abs(v) >= 1e6 ? [1e6, "M"] : Math.abs(v) >= 1e3 ? [1e3, "k"] : [1, ""]);
      const texts = values.map((v) => short(v / size(v)[0]) + size(v)[1]);
      if (new Set(texts).size === texts.length) return texts;
    }
    const texts = values.map(short);
    if (new Set(texts).size === texts.length) return texts;
    return values.map((v) => String(Number(v.toPrecision(7))));
  }

  return { spread, spreadOf, xRange, yRange, ticks, tickTexts, median, valueText, listTexts, placeText, short, grouped, time };
})();
