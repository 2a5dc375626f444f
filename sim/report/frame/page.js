"use strict";
// The interactive layer of a report: values under the pointer, a closer look at a period, variants switched off and on.
// The page is whole without it. It reads data attributes and moves what is drawn; it fetches nothing, and writes text only as text.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
  const main = document.querySelector("main");
  const variants = JSON.parse(main.dataset.variants || "[]");
  const periods = JSON.parse(main.dataset.periods || "[]");
  const charts = [];

  function make(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function drawn(parent, tag, attributes, text) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  // ---- figures in words

  function rounded(value) {
    const size = Math.abs(value);
    const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    return value.toLocaleString("en", { maximumFractionDigits: digits });
  }

  function shown(value, unit) {
    if (value === null || value === undefined) return "none";
    if (unit === "share") return `${rounded(100 * value)}%`;
    if (unit.startsWith("1/")) return `${rounded(value)}/${unit.slice(2)}`;
    if (unit !== "s") return rounded(value);
    if (value >= 120) return `${rounded(value / 60)} min`;
    if (value >= 1 || value === 0) return `${rounded(value)} s`;
    return value >= 1e-3 ? `${rounded(1e3 * value)} ms` : `${rounded(1e6 * value)} us`;
  }

  function clock(seconds, step = 1) {
    const total = step < 1 ? Math.round(seconds * 10) / 10 : Math.round(seconds);
    const hours = Math.floor(total / 3600);
    const minutes = Math.floor((total % 3600) / 60);
    const rest = total % 60;
    const tail = (step < 1 ? rest.toFixed(1) : String(rest)).padStart(step < 1 ? 4 : 2, "0");
    return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
  }

  // ---- one drawing: where its panels are, and what part of the run they show

  class Chart {
    constructor(svg, figure) {
      const values = JSON.parse(figure.dataset.values);
      const boxes = JSON.parse(svg.dataset.boxes);
      this.svg = svg;
      this.figure = figure;
      this.time = values.time;
      this.panels = values.panels.map((panel, place) => ({ ...panel, ...boxes[place], span: panel.range }));
      this.cursor = null;
      this.tip = null;
      this.listen();
    }

    listen() {
      let begun = null;
      this.svg.addEventListener("pointermove", (event) => this.point(...this.place(event)));
      this.svg.addEventListener("pointerleave", () => this.leave());
      this.svg.addEventListener("pointerdown", (event) => {
        begun = event.pointerType === "mouse" ? this.place(event) : null;
        this.point(...this.place(event));
      });
      this.svg.addEventListener("pointerup", (event) => {
        const ended = this.place(event);
        const panel = begun && this.panelAt(...begun);
        if (this.time && panel && Math.abs(ended[0] - begun[0]) > 12) {
          const ends = [begun[0], ended[0]].map((x) => this.value(panel, Math.min(Math.max(x, panel.box[0]), panel.box[2])));
          look(Math.min(...ends), Math.max(...ends));
        }
        begun = null;
      });
      if (this.time) this.svg.addEventListener("dblclick", () => look());
      const holder = this.svg.parentElement;
      holder.addEventListener("keydown", (event) => this.step(event));
      holder.addEventListener("blur", () => this.leave());
    }

    place(event) {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
      return [at.x, at.y];
    }

    panelAt(x, y) {
      return this.panels.find(({ box }) => x >= box[0] - 1 && x <= box[2] + 1 && y >= box[1] - 14 && y <= box[3] + 4);
    }

    value(panel, x) {
      const share = (x - panel.box[0]) / (panel.box[2] - panel.box[0]);
      const [low, high] = panel.span;
      return panel.log ? low * (high / low) ** share : low + share * (high - low);
    }

    at(panel, value) {
      const [low, high] = panel.span;
      const share = panel.log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
      return panel.box[0] + share * (panel.box[2] - panel.box[0]);
    }

    // What stands under the pointer: of each line the point that is nearest along the axis.
    point(x, y) {
      const panel = this.panelAt(x, y);
      if (!panel || !panel.lines.some((line) => line.y.length)) return this.leave();
      this.show(panel, this.value(panel, Math.min(Math.max(x, panel.box[0]), panel.box[2])));
    }

    show(panel, value) {
      const found = panel.lines.filter((line) => !off.has(line.variant)).map((line) => [line, nearest(line, value)]);
      const known = found.filter(([, place]) => place >= 0);
      if (!known.length) return this.leave();
      const where = abscissa(...known[0]);
      this.mark(this.at(panel, where));
      this.tell(panel, where, known);
      this.last = [panel, where];
    }

    mark(x) {
      this.cursor ??= drawn(this.svg, "line", { stroke: "currentColor", "stroke-width": 0.7, "pointer-events": "none" });
      const boxes = this.panels.map(({ box }) => box);
      const ends = { x1: x, x2: x, y1: Math.min(...boxes.map((box) => box[1])), y2: Math.max(...boxes.map((box) => box[3])) };
      for (const [name, end] of Object.entries(ends)) this.cursor.setAttribute(name, end);
    }

    tell(panel, where, known) {
      this.tip ??= this.figure.appendChild(make("div", { className: "tip", role: "status" }));
      const head = this.time ? clock(where, panel.step) : `${panel.axis ? `${panel.axis} ` : ""}${shown(where, panel.unit)}`;
      const rows = known.map(([line, place]) => make("span", {}, make("i", { textContent: line.name }), shown(line.y[place], line.unit)));
      this.tip.replaceChildren(make("b", { textContent: panel.name ? `${panel.name}, ${head}` : head }), ...rows);
      const frame = this.figure.getBoundingClientRect();
      const matrix = this.svg.getScreenCTM();
      const left = this.at(panel, where) * matrix.a + matrix.e - frame.left;
      const flipped = left > frame.width / 2;
      this.tip.style.top = `${panel.box[1] * matrix.d + matrix.f - frame.top}px`;
      this.tip.style.left = flipped ? "auto" : `${Math.max(0, left + 10)}px`;
      this.tip.style.right = flipped ? `${Math.max(0, frame.width - left + 10)}px` : "auto";
    }

    leave() {
      this.cursor?.remove();
      this.tip?.remove();
      this.cursor = this.tip = this.last = null;
    }

    // With the keyboard: arrows go from point to point, Escape puts the cursor away.
    step(event) {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === "Escape") this.leave();
      if (!way || event.target !== event.currentTarget) return;
      const [panel, where] = this.last ?? [this.panels[0], this.panels[0].span[way > 0 ? 0 : 1]];
      const line = panel.lines.find((its) => !off.has(its.variant) && its.y.length);
      if (!line) return;
      const place = Math.min(Math.max(nearest(line, where) + (this.last ? way : 0), 0), line.y.length - 1);
      event.preventDefault();
      this.show(panel, abscissa(line, place));
    }

    // A part of the run, as wide as the panels: what is drawn in the panel is stretched, words and ticks are moved.
    look(from, to) {
      this.leave();
      for (const panel of this.panels) {
        const group = this.svg.getElementById(panel.group);
        const [low, high] = panel.range;
        panel.span = from === undefined ? panel.range : [Math.max(from, low), Math.min(to, high)];
        panel.step = panel.span[1] - panel.span[0] < 10 ? 0.1 : 1;
        if (!group) continue;
        const width = panel.box[2] - panel.box[0];
        const times = (high - low) / (panel.span[1] - panel.span[0]);
        const shift = panel.box[0] * (1 - times) - ((panel.span[0] - low) / (panel.span[1] - panel.span[0])) * width;
        for (const inner of stretchable(group)) inner.setAttribute("transform", `matrix(${times} 0 0 1 ${shift} 0)`);
        for (const words of group.querySelectorAll(".at-time")) this.move(words, panel, times, shift);
        this.ticks(group, panel);
      }
    }

    move(words, panel, times, shift) {
      words.removeAttribute("transform");
      words.style.display = "";
      const { x, width } = words.getBBox();
      const middle = x + width / 2;
      const anchor = words.classList.contains("begins") ? x : middle;
      const moved = anchor * times + shift;
      const inside = moved > panel.box[0] - 1 && moved < panel.box[2];
      words.style.display = inside ? "" : "none";
      words.setAttribute("transform", `translate(${moved - anchor} 0)`);
    }

    ticks(group, panel) {
      const old = [...group.querySelectorAll("[id*='-xtick_']")];
      group.querySelector(".ticks")?.remove();
      const zoomed = panel.span[0] !== panel.range[0] || panel.span[1] !== panel.range[1];
      for (const tick of old) tick.style.display = zoomed ? "none" : "";
      if (!zoomed || !old.length) return;
      const style = old.map((tick) => tick.querySelector("text")).find(Boolean);
      const step = STEPS.find((length) => (panel.span[1] - panel.span[0]) / length <= 12) ?? 86400;
      const holder = drawn(group, "g", { class: "ticks" });
      for (let time = Math.ceil(panel.span[0] / step) * step; time <= panel.span[1] + 1e-9; time += step) {
        const x = this.at(panel, time);
        drawn(holder, "line", { x1: x, x2: x, y1: panel.box[3], y2: panel.box[3] + 3, stroke: "currentColor", "stroke-width": 0.7 });
        if (!style) continue;
        const text = drawn(holder, "text", { style: style.getAttribute("style") }, clock(time, step));
        text.setAttribute("transform", `translate(${x} ${panel.box[3] + 11.5})`);
        text.setAttribute("text-anchor", "middle");
      }
    }
  }

  function abscissa(line, place) {
    return line.x ? line.x[place] : line.from + place * line.step;
  }

  function nearest(line, value) {
    if (!line.y.length) return -1;
    if (!line.x) return Math.min(Math.max(Math.round((value - line.from) / line.step), 0), line.y.length - 1);
    return line.x.reduce((best, x, place) => (Math.abs(x - value) < Math.abs(line.x[best] - value) ? place : best), 0);
  }

  // What a panel clips is put into groups of its own, once: the clip stays where it is, what is in it may be stretched.
  function stretchable(group) {
    if (group.dataset.stretchable) return group.querySelectorAll(".stretched");
    for (const clipped of [...group.querySelectorAll("[clip-path]")]) {
      const inner = document.createElementNS(SVG, "g");
      inner.setAttribute("class", "stretched");
      if (clipped.tagName === "g") {
        inner.append(...clipped.childNodes);
        clipped.append(inner);
        continue;
      }
      const outer = document.createElementNS(SVG, "g");
      outer.setAttribute("clip-path", clipped.getAttribute("clip-path"));
      clipped.removeAttribute("clip-path");
      clipped.replaceWith(outer);
      outer.append(inner);
      inner.append(clipped);
    }
    group.dataset.stretchable = "yes";
    return group.querySelectorAll(".stretched");
  }

  // ---- what is switched on and off

  const off = new Set();

  function show() {
    for (const [place] of variants.entries()) {
      for (const element of document.querySelectorAll(`.of-${place + 1}`)) {
        if (element instanceof SVGElement) element.style.opacity = off.has(place) ? 0.12 : "";
        else element.hidden = off.has(place);
      }
      for (const element of document.querySelectorAll(`.by-variant .chart [style*="var(--variant-${(place % 8) + 1},"]`)) {
        element.style.opacity = off.has(place) ? 0.08 : "";
      }
    }
  }

  function look(from, to) {
    for (const chart of charts) if (chart.time) chart.look(from, to);
    for (const button of document.querySelectorAll(".periods button")) {
      const pressed = from === undefined ? button.value === "" : button.value === `${from} ${to}`;
      button.setAttribute("aria-pressed", pressed);
    }
  }

  function button(text, pressed, act, properties = {}) {
    const element = make("button", { type: "button", textContent: text, ...properties });
    element.setAttribute("aria-pressed", pressed);
    element.addEventListener("click", () => act(element));
    return element;
  }

  function switches() {
    const buttons = variants.map((name, place) =>
      button(
        name,
        true,
        (its) => {
          if (off.has(place)) off.delete(place);
          else if (off.size < variants.length - 1) off.add(place);
          its.setAttribute("aria-pressed", !off.has(place));
          show();
        },
        { className: `v${(place % 8) + 1}` },
      ),
    );
    return make("div", { role: "group", ariaLabel: "Variants" }, "Show", ...buttons);
  }

  function views() {
    const whole = button("the whole run", true, () => look(), { value: "" });
    const parts = periods.map(([name, from, to]) => button(name, false, () => look(from, to), { value: `${from} ${to}` }));
    return make("div", { className: "periods", role: "group", ariaLabel: "Part of the run" }, "Look at", whole, ...parts);
  }

  for (const figure of document.querySelectorAll("figure[data-values]")) {
    for (const svg of figure.querySelectorAll("svg[data-boxes]")) charts.push(new Chart(svg, figure));
  }
  const groups = [];
  if (variants.length > 1) groups.push(switches());
  if (charts.some((chart) => chart.time)) groups.push(views());
  if (groups.length) main.querySelector("header").after(make("div", { className: "controls" }, ...groups));
})();
