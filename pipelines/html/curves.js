/* Curves over training, with a legend that switches lines and shows the values at the cursor. */
const MARGIN = { left: 52, right: 10, top: 8, bottom: 22 };
const CHART_HEIGHT = 230;
const TONES = 8;

/** Round numbers that cut [low, high] into about `count` parts. */
function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const marks = [];
  for (let mark = Math.ceil(low / step - 1e-9) * step; mark <= high + step * 1e-6; mark += step) marks.push(Number(mark.toPrecision(12)));
  return marks;
}

/** Powers of ten in [low, high], with 2 and 5 times them where there are few. */
function logTicks(low, high) {
  const decades = Math.log10(high / low);
  const factors = decades > 4 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
  const marks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    marks.push(...factors.map((factor) => Number((factor * 10 ** power).toPrecision(3))));
  }
  return marks.filter((mark) => mark >= low * 0.999 && mark <= high * 1.001);
}

class Chart {
  /** title. lines: [{name, values}]; a value may be null. step, seconds: of each value, the latter perhaps undefined.
      log: whether that scale makes sense. best: a step to mark, if any. */
  constructor({ title, lines, step, seconds, log, best = null }) {
    [this.title, this.lines, this.steps, this.seconds, this.best] = [title, lines, step, seconds, best];
    this.off = new Set();
    this.cursor = best === null ? step.length - 1 : this.#nearest(best);
    const all = lines.flatMap((line) => line.values).filter((value) => value !== null);
    const above = all.filter((value) => value > 0).sort((one, other) => one - other);
    this.canBeLog = log && above.length > 1 && all.every((value) => value >= 0);
    const among = (part) => above[Math.floor(part * (above.length - 1))];
    this.log = this.canBeLog && among(0.95) > 30 * among(0.05);
    this.picture = draw("svg", {
      tabindex: 0, role: "slider", "aria-label": `${title}: step`, "aria-valuemin": step[0],
      "aria-valuemax": step.at(-1), onkeydown: (event) => this.#key(event),
      onpointermove: (event) => this.#point(event), onpointerdown: (event) => this.#point(event),
    });
    this.at = make("span", { class: "quiet readout" });
    this.legend = make("ul", { class: "legend" }, lines.map((line, number) => this.#entry(line, number)));
    this.element = make("div", { class: "curve" },
      make("div", { class: "top" }, make("h3", {}, title), this.at, this.canBeLog ? this.#scaleButton() : null),
      this.picture, this.legend);
    new ResizeObserver(() => this.render()).observe(this.picture);
  }

  #scaleButton() {
    const button = make("button", { type: "button" });
    const name = () => {
      button.textContent = `scale: ${this.log ? "logarithmic" : "linear"}`;
      button.setAttribute("aria-label", `${this.title}, ${button.textContent}`);
    };
    button.addEventListener("click", () => {
      this.log = !this.log;
      name();
      this.render();
    });
    name();
    return button;
  }

  #entry(line, number) {
    const value = make("b", {});
    const sample = draw("svg", { viewBox: "0 0 24 10", "aria-hidden": "true" },
      draw("line", { x1: 0, x2: 24, y1: 5, y2: 5, class: tone(number), "stroke-width": 3 }));
    const button = make("button", { type: "button", "aria-pressed": "true" }, sample, line.name, value);
    button.addEventListener("click", () => {
      if (!this.off.delete(number)) this.off.add(number);
      button.setAttribute("aria-pressed", String(!this.off.has(number)));
      this.render();
    });
    line.valueElement = value;
    return make("li", {}, button);
  }

  #key(event) {
    const far = Math.max(1, Math.round(this.steps.length / 20));
    const ways = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -far, PageUp: far, Home: -1e9, End: 1e9 };
    if (!(event.key in ways) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#moveTo(this.cursor + ways[event.key]);
  }

  #point(event) {
    const box = this.picture.getBoundingClientRect();
    const part = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
    const step = this.steps[0] + part * (this.steps.at(-1) - this.steps[0]);
    this.#moveTo(this.#nearest(step));
  }

  /** The number of the value whose step is nearest to `step`. */
  #nearest(step) {
    const away = this.steps.map((value) => Math.abs(value - step));
    return away.indexOf(Math.min(...away));
  }

  #moveTo(number) {
    this.cursor = clamp(number, 0, this.steps.length - 1);
    this.#showCursor();
  }

  #showCursor() {
    const step = `step ${shown(this.steps[this.cursor])}`;
    this.at.textContent = this.seconds ? `${step}, ${(this.seconds[this.cursor] / 60).toFixed(1)} min` : step;
    for (const line of this.lines) line.valueElement.textContent = shown(line.values[this.cursor]);
    const values = this.lines.map((line) => `${line.name} ${shown(line.values[this.cursor])}`);
    this.picture.setAttribute("aria-valuenow", this.steps[this.cursor]);
    this.picture.setAttribute("aria-valuetext", `${step}: ${values.join(", ")}`);
    const x = this.across(this.steps[this.cursor]);
    fill(this.cursorLine, { x1: x, x2: x }, []);
  }

  #bestMark(bottom) {
    if (this.best === null) return [];
    const x = this.across(this.best);
    const left = x > (MARGIN.left + this.picture.clientWidth) / 2;
    return [
      draw("line", { class: "best", x1: x, x2: x, y1: MARGIN.top, y2: bottom }),
      draw("text", { class: "best", x: left ? x - 5 : x + 5, y: MARGIN.top + 10, "text-anchor": left ? "end" : "start" }, "best"),
    ];
  }

  /** Draws all anew at the width that there is. */
  render() {
    const width = this.picture.clientWidth;
    if (!width) return;
    const lines = this.lines.map((line, number) => ({ ...line, number })).filter((line) => !this.off.has(line.number));
    const drawable = (value) => value !== null && (!this.log || value > 0);
    const values = lines.flatMap((line) => line.values).filter(drawable);
    let [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [this.log ? 1 : 0, this.log ? 10 : 1];
    if (!this.log && low > 0 && low < 0.4 * high) low = 0;
    if (low < high && !this.log) high += 0.04 * (high - low);
    if (low === high) [low, high] = this.log ? [low / 2, high * 2] : [low - Math.abs(low) / 2 - 1e-9, high + Math.abs(high) / 2 + 1e-9];
    const scale = this.log ? Math.log10 : (value) => value;
    const bottom = CHART_HEIGHT - MARGIN.bottom;
    const [first, final] = [this.steps[0], this.steps.at(-1)];
    this.across = (step) => MARGIN.left + ((step - first) / (final - first || 1)) * (width - MARGIN.left - MARGIN.right);
    const up = (value) => bottom - ((scale(value) - scale(low)) / (scale(high) - scale(low))) * (bottom - MARGIN.top);

    const marks = this.log ? logTicks(low, high) : ticks(low, high, 5);
    const grid = marks.map((mark) => [
      draw("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: up(mark), y2: up(mark) }),
      draw("text", { x: MARGIN.left - 6, y: up(mark) + 4, "text-anchor": "end" }, round(mark)),
    ]);
    const below = ticks(first, final, clamp(Math.floor(width / 110), 2, 8)).map((mark) => {
      const x = this.across(mark);
      const anchor = x > width - 30 ? "end" : x < MARGIN.left + 20 ? "start" : "middle";
      return draw("text", { x, y: CHART_HEIGHT - 6, "text-anchor": anchor }, round(mark));
    });
    below.push(draw("text", { x: MARGIN.left - 8, y: CHART_HEIGHT - 6, "text-anchor": "end" }, "step"));
    const paths = lines.map((line) => {
      const there = (number) => line.values[number] !== undefined && drawable(line.values[number]);
      const d = line.values.map((value, number) => {
        if (!there(number)) return "";
        const [x, y] = [this.across(this.steps[number]), up(value)];
        if (there(number - 1)) return `L${x.toFixed(1)} ${y.toFixed(1)}`;
        return there(number + 1) ? `M${x.toFixed(1)} ${y.toFixed(1)}` : `M${(x - 4).toFixed(1)} ${y.toFixed(1)}h8`;
      });
      return draw("path", { class: `line ${tone(line.number)}`, d: d.join("") });
    });
    this.cursorLine = draw("line", { class: "cursor", y1: MARGIN.top, y2: bottom });
    this.picture.setAttribute("viewBox", `0 0 ${width} ${CHART_HEIGHT}`);
    this.picture.replaceChildren(...grid.flat(), ...below, ...paths, ...this.#bestMark(bottom), this.cursorLine);
    this.#showCursor();
  }
}

const tone = (number) => `tone${number % TONES}${number >= TONES ? " dashed" : ""}`;
