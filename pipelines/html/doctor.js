/* The page of `retarget doctor`. */
const data = JSON.parse(byId("data").textContent);
const percent = (part) => `${Math.round(100 * part)} %`;
const quartiles = ([low, middle, high]) => `${round(middle)} (${round(low)} to ${round(high)})`;
const covered = (part) => make("td", { class: part < 0.8 ? "few" : null }, percent(part));

function picture(uri, alternative) {
  return make("img", { src: uri, alt: alternative, loading: "lazy" });
}

byId("gist").append(...data.gist.map((line) => make("li", {}, line)));

const [a, b] = data.names;
const head = ["", a, b, `of ${a} in ${b}`, `of ${b} in ${a}`].map((text) => make("th", { scope: "col" }, text));
byId("measures").append(
  make("thead", {}, make("tr", {}, head)),
  make("tbody", {}, data.measures.map((measure) => make("tr", {},
    make("td", {}, measure.name), make("td", {}, quartiles(measure.a)), make("td", {}, quartiles(measure.b)),
    covered(measure.a_in_b), covered(measure.b_in_a)))),
);

data.kinds.forEach((kinds, which) => {
  const [name, other] = which ? [b, a] : [a, b];
  byId("kinds").append(make("h3", {}, `${name}, with no like in ${other}`));
  if (!kinds.length) byId("kinds").append(make("p", { class: "quiet" }, "Nothing."));
  for (const kind of kinds) {
    const said = `${kind.name}: ${kind.frames} frames, ${percent(kind.part)}`;
    byId("kinds").append(make("figure", {}, make("figcaption", {}, said), picture(kind.sheet, said)));
  }
});

data.faults.forEach((faults, which) => {
  byId("faults").append(make("h3", {}, data.names[which]));
  const out = Object.entries(data.left_out[which]).map(([why, count]) => `${count} ${why}`).join(", ");
  if (out) byId("faults").append(make("p", { class: "quiet" }, `Left out already when it was extracted: ${out}.`));
  if (!faults.length) byId("faults").append(make("p", { class: "quiet" }, "Nothing to drop."));
  for (const fault of faults) {
    const said = `${fault.why}: ${fault.pictures.length} frames`;
    byId("faults").append(make("figure", {}, make("figcaption", {}, said), picture(fault.sheet, said)),
      make("details", {}, make("summary", {}, "which"), make("p", {}, fault.pictures.join(", "))));
  }
});
