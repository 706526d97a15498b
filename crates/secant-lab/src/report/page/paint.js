// Draws the lines of a chart onto uPlot's canvas.

const paint = (() => {
  // How far apart marks stand, so that the line is seen between them.
  const APART = 90;

  function chart(u, view) {
    const { section, spec, level, scattered, xOf } = view;
    const canvas = u.ctx;
    const ratio = uPlot.pxRatio;
    const { left, top, width, height } = u.bbox;
    const px = (x) => u.valToPos(x, "x", true);
    // Far outside is near enough: canvases do not like large numbers.
    const py = (y) => Math.max(top - height, Math.min(top + 2 * height, u.valToPos(y, "y", true)));
    const paper = looks.style("--card");
    const outstanding = view.page.outstanding();
    const visible = view.drawn();
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
    ordered.filter(lines.hasBand).forEach(drawBand);
    ordered.forEach(drawLine);
    if (Number.isFinite(level)) drawLevel();
    if (!view.isZoomed()) ordered.forEach(drawArrow);
    canvas.restore();

    function drawBand(line) {
      canvas.globalAlpha = fades ? (stands(line) ? 0.25 : 0.02) : Math.max(0.02, Math.min(0.15, 0.6 / visible.length));
      canvas.fillStyle = looks.look(line.method).colour;
      lines.eachPiece(line, (from, to) => {
        canvas.beginPath();
        trace(line, line.high, from, to);
        for (let i = to - 1; i >= from; i--) {
          const y = py(line.low[i] ?? line.y[i]);
          canvas.lineTo(px(xOf(line)[i]), y);
          // Back along the same stairs.
          if (section.steps && i > from) canvas.lineTo(px(xOf(line)[i]), py(line.low[i - 1] ?? line.y[i - 1]));
        }
        canvas.closePath();
        canvas.fill();
      });
    }

    function drawLine(line) {
      const { colour, dash, mark } = looks.look(line.method);
      canvas.globalAlpha = fades && !stands(line) ? 0.15 : 1;
      canvas.strokeStyle = colour;
      lines.eachPiece(line, (from, to) => {
        canvas.lineWidth = (fades && stands(line) ? 3 : 1.75) * ratio;
        canvas.setLineDash(dash.map((length) => length * ratio));
        canvas.beginPath();
        trace(line, line.y, from, to);
        canvas.stroke();
        // A point between two gaps has no line.
        if (to - from === 1) looks.drawMark(canvas, mark, px(xOf(line)[from]), py(line.y[from]), 3 * ratio, colour, paper);
      });
      canvas.lineWidth = 1.5 * ratio;
      drawMarks(line, colour, mark);
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

    // Not all lines have their marks at the same places.
    function drawMarks(line, colour, mark) {
      const places = xOf(line);
      let next = scattered ? -Infinity : left + ((line.method * 37) % APART) * ratio;
      let last = -1;
      const point = (i, size) => looks.drawMark(canvas, mark, px(places[i]), py(line.y[i]), size * ratio, colour, paper);
      places.forEach((x, i) => {
        if (line.y[i] === null) return;
        last = i;
        const at = px(x);
        if (!scattered && at < next) return;
        point(i, 3);
        if (!scattered) next = at + APART * ratio;
      });
      // Where a line ends is seen.
      if (last >= 0) point(last, 3);
      for (const i of line.marked) if (i < places.length && line.y[i] !== null) point(i, 6);
      // At the bad end of the axis, those at one place one behind the other.
      line.failures.forEach((x) => {
        const column = Math.round(px(x) / (6 * ratio));
        const before = crosses.get(column) || 0;
        crosses.set(column, before + 1);
        const off = (8 + 9 * before) * ratio;
        looks.drawMark(canvas, "cross", px(x), spec.y === "log" ? top + off : top + height - off, 3.5 * ratio, colour, paper);
      });
    }

    // An arrow at the edge where a line first leaves the chart.
    function drawArrow(line) {
      const places = xOf(line);
      const { x, y } = u.scales;
      const beyond = (i) => (line.y[i] > y.max ? "up" : line.y[i] < y.min ? "down" : places[i] > x.max ? "right" : null);
      for (let i = 1; i < places.length; i++) {
        if (line.y[i] === null || line.y[i - 1] === null || beyond(i) === null) continue;
        if (beyond(i - 1) !== null || places[i - 1] < x.min) continue;
        const way = beyond(i);
        // Where the piece from the last point inside crosses the edge.
        const [x0, y0, x1, y1] = [places[i - 1], line.y[i - 1], places[i], line.y[i]];
        const goal = way === "up" ? y.max : y.min;
        let at = way === "right" ? x.max : section.steps ? x1 : x0 + ((goal - y0) / (y1 - y0)) * (x1 - x0);
        let height0 = way === "right" ? y0 + (section.steps ? 0 : ((x.max - x0) / (x1 - x0)) * (y1 - y0)) : goal;
        let turn = way;
        // It may be the right edge that comes first.
        if (at > x.max) [at, height0, turn] = [x.max, y0 + ((x.max - x0) / (x1 - x0)) * (y1 - y0), "right"];
        arrow(px(at), py(height0), turn, looks.look(line.method).colour, fades && !stands(line) ? 0.15 : 1);
        return;
      }
    }

    function arrow(x, y, way, colour, alpha) {
      const size = 5 * ratio;
      const [dx, dy] = { up: [0, -1], down: [0, 1], right: [1, 0] }[way];
      const [tipX, tipY] = [x - dx * ratio, y - dy * ratio];
      const [baseX, baseY] = [tipX - 2 * size * dx, tipY - 2 * size * dy];
      canvas.globalAlpha = alpha;
      canvas.setLineDash([]);
      canvas.fillStyle = colour;
      canvas.strokeStyle = paper;
      canvas.lineWidth = ratio;
      canvas.beginPath();
      canvas.moveTo(tipX, tipY);
      canvas.lineTo(baseX + size * dy, baseY + size * dx);
      canvas.lineTo(baseX - size * dy, baseY - size * dx);
      canvas.closePath();
      canvas.fill();
      canvas.stroke();
    }

    // Where the fewest lines pass behind the label of the level.
    function labelPlace(wide) {
      const [room, tall] = [6 * ratio, 12 * ratio];
      const places = [];
      for (const x of [left + room, left + width - room - wide]) {
        for (const y of [py(level) - tall - 2 * ratio, py(level) + 4 * ratio]) {
          if (y < top || y + tall > top + height) continue;
          const passes = (line) => [0, 0.25, 0.5, 0.75, 1].some((share) => {
            const at = u.posToVal((x + share * wide - left) / ratio, "x");
            const value = lines.valueAt(line, xOf(line), at, section.steps);
            return value && value.y !== null && py(value.y) > y - 3 * ratio && py(value.y) < y + tall + 3 * ratio;
          });
          places.push({ x, y, count: visible.filter(passes).length });
        }
      }
      const best = places.reduce((a, b) => (b.count < a.count ? b : a), places[0] || { x: left + room, y: top });
      return [best.x, best.y];
    }

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
      canvas.textBaseline = "top";
      const text = `target ${axes.valueText(spec.level, spec.unit)}`;
      const label = [text, ...labelPlace(canvas.measureText(text).width)];
      canvas.setLineDash([]);
      canvas.strokeStyle = paper;
      canvas.lineWidth = 3 * ratio;
      canvas.strokeText(...label);
      canvas.fillText(...label);
    }
  }

  return { chart };
})();
