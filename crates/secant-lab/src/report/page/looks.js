// What tells the lines of the methods apart: nine colours, three dashes and nine point marks make 27 looks,
// no two of which share more than one of the three.

const looks = (() => {
  // The hues of Okabe and Ito's colours and two more, on white paper and on dark screens, moved until no two are
  // close: at least 8.6 hundredths apart in Oklab as people without red or green cones see them (Machado's
  // model), 6.9 without blue ones, 12.3 for others; each has a contrast of at least 3 to what lies behind.
  const COLOURS = [
    ["#1c659f", "#3d8ed6"],
    ["#e3660c", "#ff7d21"],
    ["#4f8b78", "#7eb9a0"],
    ["#9a2964", "#a8718d"],
    ["#825a0e", "#fec520"],
    ["#222222", "#f2f2f2"],
    ["#612786", "#bea1e8"],
    ["#3594cc", "#a3d5f7"],
    ["#6f3126", "#d05429"],
  ];
  const DASHES = [[], [7, 4], [2, 3]];
  const MARKS = ["circle", "square", "triangle", "diamond", "ring", "plus", "down", "cross", "box"];
  const SVG = "http://www.w3.org/2000/svg";

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let printing = false;

  function look(slot) {
    const colour = slot % COLOURS.length;
    const group = Math.floor(slot / COLOURS.length) % DASHES.length;
    return {
      colour: COLOURS[colour][dark.matches && !printing ? 1 : 0],
      dash: DASHES[group],
      mark: MARKS[(colour + 4 * group) % MARKS.length],
    };
  }

  // The outline of a mark of the given half width, as moves and lines; a circle has none.
  function outline(mark, r) {
    switch (mark) {
      case "square":
      case "box":
        return { closed: true, lines: [[[-r, -r], [r, -r], [r, r], [-r, r]]] };
      case "triangle":
        return { closed: true, lines: [[[0, -1.2 * r], [1.1 * r, 0.9 * r], [-1.1 * r, 0.9 * r]]] };
      case "down":
        return { closed: true, lines: [[[0, 1.2 * r], [1.1 * r, -0.9 * r], [-1.1 * r, -0.9 * r]]] };
      case "diamond":
        return { closed: true, lines: [[[0, -1.35 * r], [1.35 * r, 0], [0, 1.35 * r], [-1.35 * r, 0]]] };
      case "plus":
        return { closed: false, lines: [[[-1.3 * r, 0], [1.3 * r, 0]], [[0, -1.3 * r], [0, 1.3 * r]]] };
      default:
        return { closed: false, lines: [[[-r, -r], [r, r]], [[-r, r], [r, -r]]] };
    }
  }

  const isRound = (mark) => mark === "circle" || mark === "ring";
  const isHollow = (mark) => mark === "ring" || mark === "box";

  // Draws a mark on a canvas.
  function drawMark(canvas, mark, x, y, r, colour, paper) {
    canvas.beginPath();
    let closed = true;
    if (isRound(mark)) {
      canvas.arc(x, y, r, 0, 2 * Math.PI);
    } else {
      const shape = outline(mark, r);
      closed = shape.closed;
      for (const line of shape.lines) {
        line.forEach(([dx, dy], i) => (i ? canvas.lineTo(x + dx, y + dy) : canvas.moveTo(x + dx, y + dy)));
        if (closed) canvas.closePath();
      }
    }
    canvas.setLineDash([]);
    canvas.strokeStyle = colour;
    canvas.fillStyle = isHollow(mark) ? paper : colour;
    if (closed) canvas.fill();
    canvas.stroke();
  }

  function shape(name, attributes) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  // A short piece of the line of a method, for legends and tables; style rules colour it.
  function swatch(slot) {
    const { dash, mark } = look(slot);
    const picture = shape("svg", { class: "swatch", viewBox: "0 0 34 12", "aria-hidden": "true" });
    picture.style.color = `var(--method-${slot % (COLOURS.length * DASHES.length)})`;
    picture.append(shape("line", { x1: 1, y1: 6, x2: 33, y2: 6, "stroke-dasharray": dash.join(" ") || "none" }));
    const fill = isHollow(mark) ? "var(--card)" : "currentColor";
    if (isRound(mark)) {
      picture.append(shape("circle", { cx: 17, cy: 6, r: 3.4, fill }));
    } else {
      const { closed, lines } = outline(mark, 3);
      const path = lines.map((line) => "M" + line.map(([x, y]) => `${17 + x} ${6 + y}`).join("L")).join("");
      picture.append(shape("path", { d: path + (closed ? "Z" : ""), fill: closed ? fill : "none" }));
    }
    return picture;
  }

  // The colours as variables of the style sheet.
  function styleRules() {
    const count = COLOURS.length * DASHES.length;
    const rules = (scheme) =>
      Array.from({ length: count }, (_, slot) => `--method-${slot}:${COLOURS[slot % COLOURS.length][scheme]};`).join("");
    const style = document.createElement("style");
    style.textContent =
      `:root{${rules(0)}}\n@media screen and (prefers-color-scheme: dark){:root{${rules(1)}} }`;
    document.head.append(style);
  }

  return {
    look,
    drawMark,
    swatch,
    styleRules,
    // Paper is light.
    print: (now) => (printing = now),
    whenSchemeChanges: (then) => dark.addEventListener("change", then),
    // A colour of the style sheet, as it is now.
    style: (name) => {
      const light = { "--card": "#ffffff", "--ink": "#1b1f24", "--soft": "#57606a", "--grid": "#e3e7ec" };
      if (printing) return light[name];
      return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    },
  };
})();
