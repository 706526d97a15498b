"use strict";
// Without this script the page shows everything; with it, one cost at a time.
const sections = [...document.querySelectorAll(".cost")];
const tabs = document.createElement("div");
tabs.className = "tabs";
function show(chosen) {
  sections.forEach((section, i) => {
    section.hidden = section !== chosen;
    tabs.children[i].setAttribute("aria-pressed", String(section === chosen));
  });
}
for (const section of sections) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "over " + section.dataset.name;
  button.addEventListener("click", () => show(section));
  tabs.append(button);
}
sections[0].before(tabs);
show(sections[0]);

// A click on a heading of the table sorts by it, a second click the other way round.
const body = document.querySelector("#summary tbody");
document.querySelectorAll("#summary thead th").forEach((heading, column) => {
  heading.dataset.sort = "";
  heading.title = "Sort";
  let direction = 1;
  const number = (row) => parseFloat(row.cells[column].textContent.replaceAll(",", ""));
  const order = (a, b) => {
    if (column === 0) {
      return a.cells[0].textContent.localeCompare(b.cells[0].textContent) * direction;
    }
    const [x, y] = [number(a), number(b)];
    return isNaN(x) ? 1 : isNaN(y) ? -1 : (x - y) * direction;
  };
  heading.addEventListener("click", () => {
    body.append(...[...body.rows].sort(order));
    direction = -direction;
  });
});

// A method under the pointer in the list of colours stands out in all charts.
for (const entry of document.querySelectorAll(".key li")) {
  const colour = entry.dataset.colour;
  const mine = `[stroke="${colour}"], [fill="${colour}"]`;
  const others = [...document.querySelectorAll("figure svg *")].filter(
    (shape) => !shape.matches(mine) && !shape.matches('text, [stroke="#000000"], [stroke="#DDDDDD"]')
  );
  entry.addEventListener("mouseenter", () => others.forEach((shape) => shape.classList.add("faded")));
  entry.addEventListener("mouseleave", () => others.forEach((shape) => shape.classList.remove("faded")));
}
