/* What was measured: a table with its worst moments, the hidden parameters, the confusion matrix. */
const BETTER = { higher: "↑ higher is better", lower: "↓ lower is better" };

/** What a person asks, and the measures that answer. */
const QUESTIONS = [
  ["How near is the result to the right answer?", ["psnr", "ssim", "parameters", "offset_truth", "tof_truth"]],
  ["Is each pixel of the right class?", ["pixel_accuracy", "class_accuracy", "class_iou"]],
  ["Does the result move as the source does, and where it does?", ["tof", "delay", "offset", "motion"]],
  ["Is it steady from frame to frame?", ["warp_error", "flicker"]],
  ["Is the source's content still in it, so that the way back finds it?", ["cycle_l1", "cycle_psnr"]],
  ["Does it look like the target domain?", ["kernel_distance", "fid", "kid", "sharpness"]],
];

/** Tables of `evaluation`. Links to moments lead to #frame=N. */
function measuresTable(evaluation) {
  const taken = evaluation.measures.filter((measure) => measure.value !== null);
  const known = QUESTIONS.flatMap(([, names]) => names);
  const others = taken.filter((measure) => !known.includes(measure.name)).map((measure) => measure.name);
  const bodies = [...QUESTIONS, ["Other measures", others]].map(([question, names]) => {
    const rows = taken.filter((measure) => names.includes(measure.name)).map((measure) => measureRow(evaluation, measure));
    const head = make("tr", { class: "question" }, make("th", { scope: "rowgroup", colspan: 5 }, question));
    return rows.length ? make("tbody", {}, head, rows) : null;
  });
  return make("table", { class: "stacked", "aria-label": "measures" },
    make("thead", {}, make("tr", {},
      make("th", { scope: "col" }, "measure"),
      make("th", { scope: "col", class: "middle", colspan: 2 }, "value"),
      make("th", { scope: "col" }, "reading"),
      make("th", { scope: "col" }, "worst moments"))),
    bodies);
}

function measureRow(evaluation, measure) {
  return make("tr", {},
    make("th", { scope: "row" }, measure.title, make("span", { class: "about" }, measure.about)),
    make("td", { class: "number value" }, shown(measure.value)),
    make("td", { class: "unit" }, measure.unit),
    make("td", { class: "quiet reading" }, BETTER[measure.better] ?? "", perfect(measure)),
    make("td", { "data-head": "worst moments" }, worstMoments(evaluation, measure)));
}

/** What could not be measured, and why; nothing where all was. */
function missingMeasures(evaluation) {
  const missing = evaluation.measures.filter((measure) => measure.value === null);
  if (!missing.length) return null;
  const count = missing.length === 1 ? "1 measure has" : `${missing.length} measures have`;
  return make("details", {}, make("summary", {}, `${count} no value for this clip`),
    make("dl", {}, missing.flatMap((measure) =>
      [make("dt", {}, measure.title), make("dd", {}, measure.why ?? "evaluation does not say why")])));
}

const amount = (value, measure) => (value === null ? "–" : `${shown(value)} ${measure.unit ?? ""}`.trim());

function perfect(measure) {
  const best = measure.perfect_text ?? measure.perfect;
  return best === null || best === undefined ? null : make("span", { class: "perfect" }, ` perfect: ${round(best)}`);
}

function worstMoments(evaluation, measure) {
  const moments = evaluation.worst?.[measure.name] ?? [];
  if (!moments.length) return make("span", { class: "quiet" }, "–");
  return make("span", { class: "moments" }, moments.map((moment) =>
    make("a", {
      href: `#frame=${moment.frame}`, class: "moment",
      "aria-label": `go to frame ${moment.frame}, ${measure.title} ${amount(moment.value, measure)}`,
    }, `${clock(moment.seconds)} (${shown(moment.value)})`)));
}

/** How far each hidden parameter of the drawn world is from the truth. */
function parametersTable(parameters) {
  const columns = ["range", "mean error", "of its range", "correlation over time"];
  const rows = Object.entries(parameters).map(([name, found]) => {
    const cells = [
      found.range ? `${round(found.range[0])} to ${round(found.range[1])}` : "–",
      shown(found.mean_error),
      found.part_of_range === null ? "–" : `${(100 * found.part_of_range).toFixed(1)}\u00a0%`,
      found.correlation === null ? "–" : found.correlation.toFixed(3).replace("-", "−"),
    ];
    return make("tr", {}, make("th", { scope: "row" }, name),
      cells.map((cell, number) => make("td", { class: "number", "data-head": columns[number] }, cell)));
  });
  return make("table", { class: "stacked", "aria-label": "hidden parameters" },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "parameter"),
      columns.map((name) => make("th", { scope: "col", class: "number" }, name)))),
    make("tbody", {}, rows));
}

/** Rows are the true classes, columns what was found; each cell is the part of its row in %. */
function confusionTable(labels) {
  const rows = labels.confusion.map((counts, row) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const cells = counts.map((count, column) => {
      const part = total ? count / total : 0;
      const cell = make("td", { class: row === column ? "right" : null, title: `${shown(count)} pixels` },
        total ? (100 * part).toFixed(part === 1 || part === 0 ? 0 : 1) : "–");
      cell.style.setProperty("--part", part);
      return cell;
    });
    return make("tr", {}, make("th", { scope: "row" }, labels.classes[row]), cells);
  });
  return make("table", { class: "confusion", "aria-label": "confusion of classes" },
    make("thead", {}, make("tr", {}, make("td", { class: "quiet" }, "is ↓ taken for →"),
      labels.classes.map((name) => make("th", { scope: "col" }, make("span", {}, name))))),
    make("tbody", {}, rows));
}

/** A bar a frame, taller where the result is worse; a click goes there. */
class Strip {
  constructor(element, evaluation, frames, onSeek) {
    [this.element, this.evaluation, this.frames, this.onSeek] = [element, evaluation, frames, onSeek];
    this.now = draw("line", { class: "now", y1: 0, y2: 100 });
    this.picture = draw("svg", { viewBox: `0 0 ${frames} 100`, preserveAspectRatio: "none", "aria-hidden": "true" });
    element.append(this.picture);
    fill(element, { "aria-valuemin": 0, "aria-valuemax": frames - 1 }, []);
    element.addEventListener("pointerdown", (event) => this.#point(event));
    element.addEventListener("pointermove", (event) => event.buttons && this.#point(event));
    element.addEventListener("keydown", (event) => {
      if (event.key in this.#pages) event.preventDefault(), this.onSeek(this.frame + this.#pages[event.key]);
    });
  }

  get #pages() {
    const far = Math.max(1, Math.round(this.frames / 10));
    return { PageDown: -far, PageUp: far, Home: -this.frames, End: this.frames };
  }

  #point(event) {
    const box = this.element.getBoundingClientRect();
    this.onSeek(Math.floor(((event.clientX - box.left) / box.width) * this.frames));
  }

  /** Shows the measure of that name. Gives the values at the strip's bottom and top. */
  choose(name) {
    this.measure = this.evaluation.measures.find((measure) => measure.name === name) ?? { name, title: name, better: "lower" };
    this.values = this.evaluation.per_frame[name];
    const numbers = this.values.filter((value) => Number.isFinite(value));
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const [best, worst] = this.measure.better === "higher" ? [high, low] : [low, high];
    const height = (value) => {
      if (!Number.isFinite(value)) return 0; // nothing there, or "inf", of a measure where higher is better
      return best === worst ? 4 : 4 + 94 * ((value - best) / (worst - best));
    };
    const bar = (frame, width) => `M${frame} 100V${(100 - height(this.values[frame])).toFixed(1)}h${width}V100z`;
    const wide = Math.max(1, this.frames / 250); // to be seen in a long clip too
    const worstBars = (this.evaluation.worst?.[name] ?? []).map((moment) => bar(moment.frame, wide));
    this.picture.replaceChildren(
      draw("path", { class: "amount", d: this.values.map((_, frame) => bar(frame, 1)).join("") }),
      draw("path", { class: "worst", d: worstBars.join("") }), this.now);
    return numbers.length ? [best, worst] : [null, null];
  }

  /** Marks a frame. Gives its value with its unit. */
  mark(frame, seconds) {
    this.frame = frame;
    fill(this.now, { x1: frame + 0.5, x2: frame + 0.5 }, []);
    const value = amount(this.values[frame], this.measure);
    const text = `frame ${frame}, ${clock(seconds)}: ${this.measure.title} ${value}`;
    fill(this.element, { "aria-valuenow": frame, "aria-valuetext": text }, []);
    return value;
  }
}
